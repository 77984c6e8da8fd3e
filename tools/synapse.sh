# shellcheck shell=bash disable=SC2154
# Owns Synapse, for the demo and the specs only: in a virtual environment whose Python finds *.localhost on the loopback address.

# VIADUC_SYNAPSE may name a folder made elsewhere, with the same venv/.
synapse_installed() {
  [ -n "${VIADUC_SYNAPSE:-}" ] || VIADUC_SYNAPSE=$cache/synapse-$synapse_version
  "$VIADUC_SYNAPSE/venv/bin/python" -c \
    "import importlib.metadata, synapse, viaduc_localhost; assert importlib.metadata.version('matrix-synapse') == '$synapse_version'" > /dev/null 2>&1
}

synapse_packages() {
  need openssl has_command openssl # the demo's and the specs' test certificates
  synapse_installed && return
  need python3 has_command python3
  need python3-venv python3 -c 'import venv, ensurepip'
}

synapse_ready() {
  if ! synapse_installed; then
    [ "$VIADUC_SYNAPSE" = "$cache/synapse-$synapse_version" ] ||
      fail "VIADUC_SYNAPSE names $VIADUC_SYNAPSE, which does not hold Synapse $synapse_version." 'Unset it to have Synapse installed.'
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
      fail "Synapse $synapse_version needs Python 3.10 or newer; this is $(python3 --version)." 'Put a newer python3 first on the PATH.'
    lock "synapse-$synapse_version"
    synapse_installed || step synapse "Installing Synapse $synapse_version (for the demo and the tests)" \
      'Is the Python package index reachable (pip download --no-deps matrix-synapse)? Is the disk full?' synapse_install
    unlock
  fi
  export VIADUC_SYNAPSE
}

synapse_install() {
  local venv=$VIADUC_SYNAPSE/venv packages
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --disable-pip-version-check "matrix-synapse==$synapse_version"
  packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  cp "$root/tools/synapse/viaduc_localhost.py" "$packages/"
  echo 'import viaduc_localhost' > "$packages/viaduc_localhost.pth"
}
