# shellcheck shell=bash disable=SC2154
# Owns the built pages: dist/web (the call page) and dist/demo (the demo's page), built again when their sources changed.

page_config() { if [ "$1" = web ]; then echo src/web/vite.config.ts; else echo src/demo/client/vite.config.ts; fi; }

# page_hash PAGE: of everything that the page is made from; package-lock.json stands for the libraries.
page_hash() { (
  cd "$root" || return
  local sources=(src/web)
  [ "$1" = web ] || sources=(src/demo/client src/demo/demo-info.ts src/demo/homeservers/client-api.ts)
  find "${sources[@]}" package-lock.json -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
); }

page_built() { [ -e "$root/dist/$1/index.html" ] && [ "$(page_hash "$1")" = "$(cat "$root/dist/.$1.sha256" 2> /dev/null)" ]; }

page_ready() {
  page_built "$1" && return
  lock "checkout-$(cksum <<< "$root" | cut -d' ' -f1)"
  page_built "$1" || step "page-$1" "Building the page dist/$1" \
    'The log names the file and line. Did somebody change the sources by hand?' page_build "$1"
  unlock
}

callpage_packages() { :; }
callpage_ready() { page_ready web; }
demopage_packages() { :; }
demopage_ready() { page_ready demo; }

page_build() {
  local hash
  hash=$(page_hash "$1")
  cd "$root" || return
  node node_modules/vite/bin/vite.js build --config "$(page_config "$1")"
  echo "$hash" > "dist/.$1.sha256"
}
