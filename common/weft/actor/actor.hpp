// The door of actor: actors, mailboxes, supervision, two schedulers. Needs neither ZeroMQ nor Asio; docs/actors.md
// teaches it.
#pragma once
#include "weft/actor/monitor.hpp"
#include "weft/actor/restart.hpp"
#include "weft/actor/supervision.hpp"
#include "weft/actor/system.hpp"
