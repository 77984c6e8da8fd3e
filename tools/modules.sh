# shellcheck shell=bash disable=SC2154
# Owns the npm packages of this checkout: exactly those of package-lock.json, without running any of their scripts.

modules_complete() { node "$root/tools/modules-complete.ts" "$root" 2> /dev/null; }

modules_packages() { [ -e "$root/node_modules/.package-lock.json" ] || need npm has_command npm; }

modules_ready() {
  modules_complete && return
  lock "checkout-$(cksum <<< "$root" | cut -d' ' -f1)"
  modules_complete || step modules 'Installing the npm packages' \
    'Is the npm registry reachable (npm ping)? Is this folder writable, and the disk not full?' modules_install
  unlock
}

modules_install() {
  cd "$root" || return
  PATH=$system_path npm ci --ignore-scripts --no-audit --no-fund
}
