#!/bin/sh
# Runs one agent alone against a registry: agents/launch.sh AGENT [REGISTRY [FLAGS…]], by default the registry of this machine.
# The program is looked for in $WEFT_PROGRAM_PATH, the build folder and PATH.
set -eu
tree=$(cd "$(dirname "$0")/.." && pwd)
agent=$1
shift
case ${1:-} in
  '' | -*) registry=tcp://127.0.0.1:7411 ;;
  *) registry=$1 && shift ;;
esac
PATH=${WEFT_PROGRAM_PATH:+$WEFT_PROGRAM_PATH:}$tree/build:$PATH
export WEFT_CONFIG_DIR="${WEFT_CONFIG_DIR:-$tree/config}"
exec "weft-$agent" --set "registry.addresses=[$registry]" "$@"
