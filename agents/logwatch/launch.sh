#!/bin/sh
# Runs logwatch alone: agents/logwatch/launch.sh [REGISTRY [FLAGS…]].
exec "$(dirname "$0")/../launch.sh" logwatch "$@"
