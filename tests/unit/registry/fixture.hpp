// Records and clocks for the registry's tests.
#pragma once
#include <string>

#include "registry/book.hpp"
#include "tests/support/catch.hpp"

namespace weft::test {

using registry::InstanceRecord;

inline Ulid id_of(std::uint64_t number) {
  Ulid id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

/// Instance `number` of `agent` on `host`, in the slot "<agent>@<host>", started at second `number`.
inline InstanceRecord record_of(std::uint64_t number, const std::string& agent = "echo",
                                const std::string& host = "alpha") {
  InstanceRecord record;
  record.mesh = "demo";
  record.host = host;
  record.agent = agent;
  record.version = "1.0.0";
  record.slot = agent + "@" + host;
  record.instance = id_of(number);
  record.started_us = static_cast<std::int64_t>(number) * 1'000'000;
  record.call_endpoint = "tcp://127.0.0.1:" + std::to_string(40'000 + number % 20'000);
  record.methods = {{"echo", "answers"}};
  return record;
}

inline registry::Table::Options table_options(const std::string& host = "alpha") {
  registry::Table::Options options;
  options.mesh = "demo";
  options.host = host;
  return options;
}

inline wire::RenewRequest renewal_of(const InstanceRecord& record) {
  return {record.instance, record.epoch, record.health, record.health_text};
}

}  // namespace weft::test
