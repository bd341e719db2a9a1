# shellcheck shell=bash
# Meson folders: build/ is the release, build-<what>/ the special ones.

# configure FOLDER OPTION...: once; later changes are seen by ninja itself.
configure() {
  local folder=$1
  shift
  [[ -f $folder/build.ninja ]] && return
  rm -rf "$folder"
  step "configuring $folder"
  if command -v ld.lld >/dev/null && [[ -z ${CXX_LD:-} ]]; then export CXX_LD=lld; fi
  meson setup "$folder" "$@" </dev/null >"$folder.log" 2>&1 || { cat "$folder.log" >&2; rm -rf "$folder" "$folder.log"; return 1; }
  mv "$folder.log" "$folder/setup.log"
}

# What `meson install` would install: the programs and libraries, without tests and benchmarks.
products() {
  meson introspect "$1" --targets |
    python3 -c 'import json, os, sys
for target in json.load(sys.stdin):
    if target["installed"]:
        print(*(os.path.relpath(name, os.path.realpath(sys.argv[1])) for name in target["filename"]), sep="\n")' "$1"
}

build_products() {
  local targets
  configure build
  mapfile -t targets < <(products build)
  step "building the programs"
  ninja -C build "${targets[@]}"
  ln -sfn meson-out/weft build/weft
}

newest_clang() { compgen -c clang++- | grep -E '^clang\+\+-[0-9]+$' | sort -t- -k2 -n | tail -1; }
