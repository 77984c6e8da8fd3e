# shellcheck shell=bash disable=SC2154
# Owns matrix-nio, a Matrix client of another family than the browsers', for the specs and drills of encrypted rooms.

nio_installed() {
  [ -n "${VIADUC_NIO:-}" ] || VIADUC_NIO=$cache/nio-$nio_version
  "$VIADUC_NIO/venv/bin/python" -c \
    "import importlib.metadata, nio, vodozemac; assert importlib.metadata.version('matrix-nio') == '$nio_version'" > /dev/null 2>&1
}

nio_packages() {
  nio_installed && return
  need python3 has_command python3
  need python3-venv python3 -c 'import venv, ensurepip'
}

nio_ready() {
  if ! nio_installed; then
    [ "$VIADUC_NIO" = "$cache/nio-$nio_version" ] ||
      fail "VIADUC_NIO names $VIADUC_NIO, which does not hold matrix-nio $nio_version." 'Unset it to have matrix-nio installed.'
    lock "nio-$nio_version"
    nio_installed || step nio "Installing matrix-nio $nio_version (for the tests)" \
      'Is the Python package index reachable (pip download --no-deps matrix-nio)? Is the disk full?' nio_install
    unlock
  fi
  export VIADUC_NIO
}

nio_install() {
  python3 -m venv --clear "$VIADUC_NIO/venv"
  "$VIADUC_NIO/venv/bin/pip" install --disable-pip-version-check "matrix-nio[e2e]==$nio_version"
}
