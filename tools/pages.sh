# shellcheck shell=bash disable=SC2154
# Owns the built pages: dist/web (the call page) and dist/demo (the demo's page), built again when their sources changed.

page_sources() {
  case $1 in
    web) echo src/web ;;
    demo) echo src/demo/client ;;
  esac
}

page_hash() { (
  cd "$root" || return
  find "$(page_sources "$1")" package-lock.json -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
); }

page_built() { [ -e "$root/dist/$1/index.html" ] && [ "$(page_hash "$1")" = "$(cat "$root/dist/.$1.sha256" 2> /dev/null)" ]; }

pages_packages() { :; }

pages_ready() {
  local page
  for page in web demo; do
    [ -e "$root/$(page_sources "$page")/vite.config.ts" ] || continue
    page_built "$page" && continue
    lock "checkout-$(cksum <<< "$root" | cut -d' ' -f1)"
    page_built "$page" || step "page-$page" "Building the page dist/$page" \
      'The log names the file and line. Did somebody change the sources by hand?' page_build "$page"
    unlock
  done
}

page_build() {
  local hash
  hash=$(page_hash "$1")
  cd "$root" || return
  node node_modules/vite/bin/vite.js build --config "$(page_sources "$1")/vite.config.ts"
  echo "$hash" > "dist/.$1.sha256"
}
