#!/bin/sh
# Runs echo alone: agents/echo/launch.sh [REGISTRY [FLAGS…]].
exec "$(dirname "$0")/../launch.sh" echo "$@"
