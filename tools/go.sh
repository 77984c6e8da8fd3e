# shellcheck shell=bash disable=SC2154
# Owns the load generator (bench/load), for some drills and benchmarks only: built with the system's Go, kept in the cache.

load_source=$root/bench/load

load_wants() { awk '$1 == "go" { print $2 }' "$load_source/go.mod"; }

# go_works COMMAND: it is new enough for go.mod, or may fetch a version of itself that is.
go_works() { (cd "$load_source" && "$1" list -m) > /dev/null 2>&1; }

# go_found sets go_command: that of the PATH, that of go.dev's archive, or one of the distribution's several.
go_found() {
  local candidate
  for candidate in go /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
    go_works "$candidate" && go_command=$candidate && return
  done
  return 1
}

# go_offered: the distribution's package of a Go that is new enough; nothing, if it has none.
go_offered() {
  local wanted package version
  wanted=$(load_wants)
  for package in golang-go $(apt-cache pkgnames golang-1. 2> /dev/null | grep -x 'golang-1\.[0-9]*-go' | sort -rV); do
    version=$(apt-cache policy "$package" 2> /dev/null | awk '$1 == "Candidate:" { sub(/^[0-9]*:/, "", $2); print $2 }')
    [[ $version == [0-9]* ]] && [ "$(printf '%s\n' "${wanted%.0}" "$version" | sort -V | head -n 1)" = "${wanted%.0}" ] && echo "$package" && return
  done
}

load_binary() {
  local sources
  sources=$(cd "$load_source" && find . -type f \( -name '*.go' -o -name 'go.*' \) ! -name '*_test.go' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  printf '%s/load/%s-%s' "$cache" "$(uname -m)" "${sources:0:12}"
}

load_packages() {
  local package
  [ -x "$(load_binary)" ] || go_found && return
  package=$(go_offered)
  [ -z "$package" ] || need "$package" false
}

load_ready() {
  VIADUC_LOAD=$(load_binary)
  if [ ! -x "$VIADUC_LOAD" ]; then
    go_found || fail "The load generator needs Go $(load_wants) or newer, and this system offers none." \
      'Install it from https://go.dev/dl and put it on the PATH, then run the same command again.'
    lock load
    [ -x "$VIADUC_LOAD" ] || step load 'Building the load generator' \
      'The log says why. If modules are missing: is the Go module proxy reachable (go env GOPROXY)?' load_build "$VIADUC_LOAD"
    unlock
  fi
  export VIADUC_LOAD
}

# load_build BINARY: earlier ones are of other sources.
load_build() {
  local folder=${1%/*}
  cd "$load_source" || return
  rm -rf "${folder:?}"
  mkdir -p "$folder"
  CGO_ENABLED=0 nice -n 5 "$go_command" build -mod=readonly -trimpath -buildvcs=false -o "$1.new" .
  mv "$1.new" "$1"
}
