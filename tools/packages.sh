# shellcheck shell=bash
# Owns the distribution's packages: collects the missing ones, installs them with root or sudo, else says the command.

missing_packages=()

# need PACKAGE COMMAND …: notes the package as missing unless the command succeeds.
need() {
  "${@:2}" > /dev/null 2>&1 || missing_packages+=("$1")
}

has_command() { command -v "$1"; }

distribution() { (
  # shellcheck source=/dev/null
  . /etc/os-release 2> /dev/null
  printf '%s-%s' "${ID:-linux}" "${VERSION_ID:-0}"
); }

install_packages() {
  [ ${#missing_packages[@]} -gt 0 ] || return 0
  local install=(apt-get install --yes --no-install-recommends "${missing_packages[@]}")
  local by_hand="apt-get update && sudo ${install[*]}"
  command -v apt-get > /dev/null || fail "These packages are missing (Debian's names): ${missing_packages[*]}" \
    "This system has no apt-get: install what corresponds to them, then run the same command again."
  local as_root=(env DEBIAN_FRONTEND=noninteractive)
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2> /dev/null || fail "These packages are missing: ${missing_packages[*]}" \
      'Install them with this command, then run the same viaduc command again:' "sudo $by_hand"
    as_root=(sudo -n "${as_root[@]}")
  fi
  step packages "Installing packages: ${missing_packages[*]}" "Try it by hand: sudo $by_hand" \
    apt_install "${as_root[@]}" -- "${install[@]}"
  missing_packages=()
}

# apt_install RUN-AS-ROOT … -- COMMAND …: waits for a running apt instead of failing.
apt_install() {
  local as_root=()
  while [ "$1" != -- ]; do
    as_root+=("$1")
    shift
  done
  shift
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update
  "${as_root[@]}" "$1" -o DPkg::Lock::Timeout=300 "${@:2}"
}
