#!/bin/sh
# Runs digest alone against a registry: agents/digest/launch.sh [REGISTRY [FLAGS…]], by default the registry of this machine.
# The program is looked for in $WEFT_PROGRAM_PATH, the build folder and PATH.
set -eu
tree=$(cd "$(dirname "$0")/../.." && pwd)
registry=${1:-tcp://127.0.0.1:7411}
[ $# -eq 0 ] || shift
PATH=${WEFT_PROGRAM_PATH:+$WEFT_PROGRAM_PATH:}$tree/build:$PATH
export WEFT_CONFIG_DIR="${WEFT_CONFIG_DIR:-$tree/config}"
exec weft-digest --set "registry.addresses=[$registry]" "$@"
