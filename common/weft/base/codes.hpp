// Every frozen error code of Weft. A code is never reused or renamed; docs/errors/<id>.md explains it (a test says so).
// 1xxx input and configuration, 2xxx calls and messages, 3xxx registry, 4xxx error bus, 5xxx node and processes, 6xxx
// actors, 9xxx bugs.
#pragma once
#include "weft/base/error.hpp"

namespace weft::codes {

#define WEFT_CODES(X)                                      \
  X(bad_value, 1001, "BAD_VALUE", invalid)                 \
  X(bad_encoding, 1002, "BAD_ENCODING", invalid)           \
  X(too_large, 1003, "TOO_LARGE", invalid)                 \
  X(bad_name, 1004, "BAD_NAME", invalid)                   \
  X(bad_config, 1010, "BAD_CONFIG", invalid)               \
  X(bad_config_file, 1011, "BAD_CONFIG_FILE", invalid)     \
  X(missing_secret, 1012, "MISSING_SECRET", not_found)     \
  X(bad_usage, 1020, "BAD_USAGE", invalid)                 \
  X(io_failed, 1030, "IO_FAILED", internal)                \
  X(disk_full, 1031, "DISK_FULL", overloaded)              \
  X(port_taken, 1032, "PORT_TAKEN", unavailable)           \
  X(bad_address, 1033, "BAD_ADDRESS", invalid)             \
  X(bad_envelope, 2001, "BAD_ENVELOPE", invalid)           \
  X(wrong_version, 2002, "WRONG_VERSION", invalid)         \
  X(no_responders, 2003, "NO_RESPONDERS", unavailable)     \
  X(no_such_method, 2004, "NO_SUCH_METHOD", not_found)     \
  X(bad_payload, 2005, "BAD_PAYLOAD", invalid)             \
  X(deadline_exceeded, 2006, "DEADLINE_EXCEEDED", timeout) \
  X(peer_gone, 2007, "PEER_GONE", disconnected)            \
  X(handler_failed, 2008, "HANDLER_FAILED", internal)      \
  X(queue_full, 2009, "QUEUE_FULL", overloaded)            \
  X(call_cancelled, 2010, "CALL_CANCELLED", cancelled)     \
  X(bad_topic, 2011, "BAD_TOPIC", invalid)                 \
  X(draining, 2012, "DRAINING", unavailable)               \
  X(call_too_deep, 2013, "CALL_TOO_DEEP", invalid)         \
  X(circuit_open, 2014, "CIRCUIT_OPEN", unavailable)       \
  X(stream_closed, 2015, "STREAM_CLOSED", cancelled)       \
  X(bad_stream, 2016, "BAD_STREAM", invalid)               \
  X(dead_lettered, 2017, "DEAD_LETTERED", internal)        \
  X(unauthorized, 2018, "UNAUTHORIZED", denied)            \
  X(unknown_key, 2019, "UNKNOWN_KEY", denied)              \
  X(trace_unknown, 2020, "TRACE_UNKNOWN", not_found)       \
  X(message_unknown, 2021, "MESSAGE_UNKNOWN", not_found)   \
  X(no_registry, 3001, "NO_REGISTRY", unavailable)         \
  X(unknown_instance, 3002, "UNKNOWN_INSTANCE", not_found) \
  X(fenced, 3003, "FENCED", denied)                        \
  X(table_full, 3004, "TABLE_FULL", overloaded)            \
  X(wrong_mesh, 3005, "WRONG_MESH", denied)                \
  X(unhealthy, 3006, "UNHEALTHY", unavailable)             \
  X(store_failed, 3010, "STORE_FAILED", internal)          \
  X(bus_unavailable, 4001, "BUS_UNAVAILABLE", unavailable) \
  X(journal_failed, 4002, "JOURNAL_FAILED", unavailable)   \
  X(bad_event, 4003, "BAD_EVENT", invalid)                 \
  X(journal_damaged, 4004, "JOURNAL_DAMAGED", internal)    \
  X(unknown_issue, 4005, "UNKNOWN_ISSUE", not_found)       \
  X(bad_fleet, 5001, "BAD_FLEET", invalid)                 \
  X(fleet_cycle, 5002, "FLEET_CYCLE", invalid)             \
  X(start_failed, 5003, "START_FAILED", unavailable)       \
  X(crash_loop, 5004, "CRASH_LOOP", unavailable)           \
  X(unknown_agent, 5005, "UNKNOWN_AGENT", not_found)       \
  X(already_running, 5006, "ALREADY_RUNNING", duplicate)   \
  X(process_exited, 5007, "PROCESS_EXITED", unavailable)   \
  X(no_such_actor, 6001, "NO_SUCH_ACTOR", not_found)       \
  X(actor_closed, 6002, "ACTOR_CLOSED", not_found)         \
  X(actor_exists, 6003, "ACTOR_EXISTS", duplicate)         \
  X(mailbox_full, 6004, "MAILBOX_FULL", overloaded)        \
  X(message_dropped, 6005, "MESSAGE_DROPPED", overloaded)  \
  X(message_expired, 6006, "MESSAGE_EXPIRED", timeout)     \
  X(not_handled, 6007, "NOT_HANDLED", invalid)             \
  X(no_reply, 6008, "NO_REPLY", timeout)                   \
  X(call_cycle, 6009, "CALL_CYCLE", invalid)               \
  X(actor_failed, 6010, "ACTOR_FAILED", internal)          \
  X(too_many_actors, 6011, "TOO_MANY_ACTORS", overloaded)  \
  X(system_stopping, 6012, "SYSTEM_STOPPING", unavailable) \
  X(gave_up, 6013, "GAVE_UP", unavailable)                 \
  X(bug, 9001, "BUG", internal)

#define WEFT_DECLARE_CODE(name, number, text, kind) inline constexpr Code name{"WEFT-" #number, text, ErrorKind::kind};
WEFT_CODES(WEFT_DECLARE_CODE)
#undef WEFT_DECLARE_CODE

}  // namespace weft::codes
