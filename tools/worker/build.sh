#!/usr/bin/env bash
# build.sh MEDIASOUP_PACKAGE OUTPUT_FOLDER: builds the media worker from the npm package's sources (README.md).
# Environment: MESON_VERSION, NINJA_VERSION. The unfinished build in OUTPUT_FOLDER/build is resumed, and removed at the end.
set -euo pipefail

recipe=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=$(cd "$1" && pwd)
mkdir -p "$2"
output=$(cd "$2" && pwd)
build=$output/build

stop() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

# The sources, with our overlays where meson expects the libraries that it would download.
lay_out_sources() {
  rm -rf "$build"
  mkdir -p "$build"
  cp -R "$package/worker" "$build/source"
  local library expected found
  while read -r library expected; do
    found=$(sed -n 's/^directory *= *//p' "$build/source/subprojects/$library.wrap")
    [ "$found" = "$expected" ] || stop "mediasoup wants ${found:-nothing} as $library, the overlay was written for $expected:" \
      "see whether overlays/$library still fits, then write the new name into expected.txt."
    cp -R "$recipe/overlays/$library" "$build/source/subprojects/$expected"
  done < "$recipe/expected.txt"
  local change
  for change in "$recipe"/patches/*.patch; do
    patch --directory="$build/source" --strip=1 --fuzz=0 --batch --no-backup-if-mismatch < "$change" ||
      stop "$(basename "$change") does not fit this mediasoup: see what it changes and why (its first lines), and write it anew."
  done
}

# Distributions' meson may be older than mediasoup asks for, so both tools come from PyPI.
install_tools() {
  python3 -m venv "$build/tools"
  "$build/tools/bin/pip" install --disable-pip-version-check "meson==$MESON_VERSION" "ninja==$NINJA_VERSION"
}

if [ ! -e "$build/prepared" ]; then
  lay_out_sources
  install_tools
  touch "$build/prepared"
fi
PATH=$build/tools/bin:$PATH
if [ ! -e "$build/out/build.ninja" ]; then
  rm -rf "$build/out"
  meson setup "$build/out" "$build/source" --buildtype release -Db_ndebug=true --wrap-mode=nodownload
fi
ninja -C "$build/out" fbs/FBS/worker.h
ninja -C "$build/out" mediasoup-worker
strip -o "$output/mediasoup-worker.new" "$build/out/mediasoup-worker"
mv "$output/mediasoup-worker.new" "$output/mediasoup-worker"
rm -rf "$build"
