#!/bin/sh
# Runs digest alone: agents/digest/launch.sh [REGISTRY [FLAGS…]].
exec "$(dirname "$0")/../launch.sh" digest "$@"
