#!/bin/sh
# Runs probe alone: agents/probe/launch.sh [REGISTRY [FLAGS…]].
exec "$(dirname "$0")/../launch.sh" probe "$@"
