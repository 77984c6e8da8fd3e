# shellcheck shell=bash disable=SC2154
# Owns the browser of the specs and of the demo's check: a Chromium or Chrome that is on the PATH, else Debian's package.

chromium_found() {
  if [ -n "${VIADUC_CHROMIUM:-}" ]; then
    [ -x "$VIADUC_CHROMIUM" ]
    return
  fi
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    VIADUC_CHROMIUM=$(command -v "$name") && return
  done
  return 1
}

has_fonts() { [ -n "$(find -L /usr/share/fonts -name '*.[to]tf' -print -quit 2> /dev/null)" ]; }

chromium_packages() {
  # Ubuntu's package of that name only fetches a snap, which a server may not have.
  if ! chromium_found && [[ $(distribution) != ubuntu-* ]]; then need chromium chromium_found; fi
  need fonts-dejavu-core has_fonts
}

chromium_ready() {
  chromium_found || fail 'No Chromium was found (chromium, chromium-browser, google-chrome).' \
    'Install one, or set VIADUC_CHROMIUM to its path: the tests and the demo'"'"'s check drive it.'
  export VIADUC_CHROMIUM
}
