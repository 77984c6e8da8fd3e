# shellcheck shell=bash disable=SC2154
# Owns the media worker: built once per mediasoup version, distribution and recipe (worker/), kept in the cache.

mediasoup_version() {
  awk -F'"' '$2 == "node_modules/mediasoup" { inside = 1 } inside && $2 == "version" { print $4; exit }' "$root/package-lock.json"
}

worker_folder() {
  local recipe
  recipe=$(cd "$root/tools" && find worker -type f ! -name README.md -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  printf '%s/worker/%s-%s-%s-%s' "$cache" "$(mediasoup_version)" "$(distribution)" "$(uname -m)" "${recipe:0:12}"
}

# An operator may name a worker that was built elsewhere; mediasoup reads the same variable.
worker_built() {
  [ -n "${MEDIASOUP_WORKER_BIN:-}" ] || MEDIASOUP_WORKER_BIN=$(worker_folder)/mediasoup-worker
  [ -x "$MEDIASOUP_WORKER_BIN" ] && ! ldd "$MEDIASOUP_WORKER_BIN" 2>&1 | grep -q 'not found'
}

has_header() { g++ -fsyntax-only -x c++ - <<< "#include <$1>"; }

worker_packages() {
  worker_built && return
  need g++ has_command g++
  need patch has_command patch
  need pkg-config has_command pkg-config
  need python3 has_command python3
  need python3-venv python3 -c 'import venv, ensurepip'
  need flatbuffers-compiler has_command flatc
  need libflatbuffers-dev has_header flatbuffers/flatbuffers.h # its .pc file is in another package
  need libssl-dev pkg-config --exists openssl
  need libuv1-dev pkg-config --exists libuv
  need libsrtp2-dev pkg-config --exists libsrtp2
  need libabsl-dev pkg-config --exists absl_strings
}

worker_ready() {
  if ! worker_built; then
    local folder
    folder=$(worker_folder)
    [ "$MEDIASOUP_WORKER_BIN" = "$folder/mediasoup-worker" ] ||
      fail "MEDIASOUP_WORKER_BIN names $MEDIASOUP_WORKER_BIN, which is not there or lacks a library (see ldd)." 'Unset it to have the worker built.'
    lock "worker-$(basename "$folder")"
    worker_built || step worker "Building the media worker (once, about 7 minutes on 2 cores)" \
      'Run the same command again to go on. If it fails again, the log names the file; tools/worker/README.md explains the recipe.' \
      worker_build "$folder"
    unlock
  fi
  export MEDIASOUP_WORKER_BIN
}

worker_build() {
  MESON_VERSION=$meson_version NINJA_VERSION=$ninja_version nice -n 5 "$root/tools/worker/build.sh" "$root/node_modules/mediasoup" "$1"
}
