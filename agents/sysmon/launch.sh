#!/bin/sh
# Runs sysmon alone: agents/sysmon/launch.sh [REGISTRY [FLAGS…]].
exec "$(dirname "$0")/../launch.sh" sysmon "$@"
