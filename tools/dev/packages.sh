# shellcheck shell=bash
# Debian packages that a verb needs: says which are missing and installs them. The list is tools/packages.txt.

packages_of() { awk -v groups=" $* " '$1 !~ /^#/ && index(groups, " " $1 " ") { for (i = 2; i <= NF; i++) print $i }' tools/packages.txt | sort -u; }

missing_of() {
  local package
  for package in $(packages_of "$@"); do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    fail "needs root for: $* (become root or install sudo)"
  fi
}

# need GROUP...: after this the packages of those groups are there.
need() {
  local missing
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: install what these Debian packages hold: $(packages_of "$@" | xargs)"
    return
  fi
  mapfile -t missing < <(missing_of "$@")
  [[ ${#missing[@]} == 0 ]] && return
  step "installing ${#missing[@]} Debian packages: ${missing[*]}"
  as_root apt-get update -qq </dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
  # Tests and benchmarks start their own; the services that these packages bring are not wanted.
  local service
  for service in prometheus nats-server; do
    if [[ " ${missing[*]} " == *" $service "* && -d /run/systemd/system ]]; then
      as_root systemctl disable --quiet --now "$service" </dev/null || true
    fi
  done
}

# want GROUP...: installs them where that can be done, and goes on where not.
want() { (need "$@") || say "going on without: $(missing_of "$@" | xargs)"; }
