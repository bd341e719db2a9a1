# shellcheck shell=bash
# Meson folders: build/ is the release, build-<what>/ the special ones.

# The sources that Meson makes for a room include its files by absolute path: relative to this folder, a clone elsewhere
# finds in the compiler cache what another one compiled. (Objects with -g name their folder: the cache keeps those apart.)
export CCACHE_BASEDIR=$PWD

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
  if [[ $folder == build ]]; then ln -sfn build/compile_commands.json .; fi # where editors and clangd look for it
}

# targets FOLDER products|NAME: what gets installed (programs and libraries, no tests), or targets whose names begin with NAME.
targets() {
  meson introspect "$1" --targets |
    python3 -c 'import json, os, sys
folder, wanted = os.path.realpath(sys.argv[1]), sys.argv[2]
for target in json.load(sys.stdin):
    if target["installed"] if wanted == "products" else target["name"].startswith(wanted):
        print(*(os.path.relpath(name, folder) for name in target["filename"]), sep="\n")' "$@"
}

build_products() {
  local wanted
  configure build
  ninja -C build --quiet build.ninja # configures anew when a meson.build has changed
  mapfile -t wanted < <(targets build products)
  step "building the programs"
  ninja -C build "${wanted[@]}"
}

newest_clang() { compgen -c clang++- | grep -E '^clang\+\+-[0-9]+$' | sort -t- -k2 -n | tail -1; }
