#include "weft/report/folds.hpp"

#include <algorithm>

#include "weft/report/grouping.hpp"

namespace weft::report {
namespace {

std::size_t size_of(const Value& value) {
  std::size_t size = 9;
  if (value.is_string()) return size + value.as_string().size();
  if (value.type() == Value::Type::bytes) return size + value.as_bytes().size();
  if (value.is_list()) {
    for (const Value& item : value.as_list()) size += size_of(item);
  } else if (value.is_map()) {
    for (const auto& [key, member] : value.as_map()) size += key.size() + size_of(member);
  }
  return size;
}

/// The bus counts by issue, and by host, agent, severity and code.
std::string key_of(const ErrorEvent& event) {
  return fingerprint_of(event) + '\n' + event.host + '\n' + event.agent + '\n' +
         std::string(to_string(event.severity)) + '\n' + event.code;
}

}  // namespace

std::size_t size_of(const ErrorEvent& event) {
  std::size_t size = 400 + event.message.size() + event.exception.size() + event.stack.size();
  for (const auto& [name, value] : event.values) size += name.size() + size_of(value);
  return size;
}

bool Folds::add(ErrorEvent event) {
  std::string key = key_of(event);
  const std::uint64_t events = 1 + event.repeated;
  if (const auto known = samples_.find(key); known != samples_.end()) {
    known->second.repeated += events;
    known->second.time_us = std::max(known->second.time_us, event.time_us);
    events_ += events;
    return true;
  }
  const std::size_t bytes = size_of(event);
  if (samples_.size() == kIssuesMax || bytes_ + bytes > kBytesMax) return false;
  bytes_ += bytes;
  events_ += events;
  order_.push_back(key);
  samples_.emplace(std::move(key), std::move(event));
  return true;
}

std::optional<ErrorEvent> Folds::take() {
  if (order_.empty()) return std::nullopt;
  auto sample = samples_.extract(order_.front());
  order_.pop_front();
  bytes_ -= size_of(sample.mapped());
  events_ -= 1 + sample.mapped().repeated;
  return std::move(sample.mapped());
}

}  // namespace weft::report
