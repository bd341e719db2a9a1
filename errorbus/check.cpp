#include "errorbus/check.hpp"

#include <algorithm>

#include "weft/base/utf8.hpp"

namespace weft::errorbus {
namespace {

void make_utf8(Value& value);
template <class Map>
void make_utf8_members(Map& map) {
  bool keys_good = true;
  for (auto& [key, member] : map) {
    keys_good = keys_good && utf8::valid(key);
    make_utf8(member);
  }
  if (keys_good) return;
  Map clean;
  for (auto& [key, member] : map) {
    clean.emplace(utf8::replace_invalid(key), std::move(member));
  }
  map = std::move(clean);
}
void make_utf8(Value& value) {
  if (value.is_string()) {
    if (!utf8::valid(value.as_string())) value = Value(utf8::replace_invalid(value.as_string()));
  } else if (value.is_list()) {
    for (Value& item : value.as_list()) make_utf8(item);
  } else if (value.is_map()) {
    make_utf8_members(value.as_map());
  }
}

std::size_t size_of(const Value& value) {
  std::size_t size = 9;  // the largest MessagePack number, or a head
  if (value.is_string()) return size + value.as_string().size();
  if (value.type() == Value::Type::bytes) return size + value.as_bytes().size();
  if (value.is_list()) {
    for (const Value& item : value.as_list()) size += size_of(item);
  } else if (value.is_map()) {
    for (const auto& [key, member] : value.as_map()) size += key.size() + size_of(member);
  }
  return size;
}

bool within_depth(const Value& value, std::size_t depth_max) {
  const auto fits = [&](const Value& member) { return depth_max > 0 && within_depth(member, depth_max - 1); };
  if (value.is_list()) return std::all_of(value.as_list().begin(), value.as_list().end(), fits);
  if (!value.is_map()) return true;
  return std::all_of(value.as_map().begin(), value.as_map().end(), [&](const auto& m) { return fits(m.second); });
}

Error bad(std::string what) { return Error(codes::bad_event, std::move(what)); }

Result<void> at_most(std::string_view what, const std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return {};
  return bad(std::string(what) + " has " + std::to_string(text.size()) + " bytes, at most " +
             std::to_string(bytes_max) + " are allowed");
}

Result<void> check_words(const ErrorEvent& event) {
  const std::tuple<std::string_view, const std::string&, std::size_t> all[] = {
      {"code", event.code, kWordMax},          {"category", event.category, kWordMax},
      {"version", event.version, kWordMax},    {"config_hash", event.config_hash, kWordMax},
      {"message", event.message, kMessageMax}, {"exception", event.exception, kExceptionMax},
      {"stack", event.stack, kStackMax},       {"fingerprint", event.fingerprint, kFingerprintMax}};
  for (const auto& [what, text, bytes_max] : all) {
    if (auto fits = at_most(what, text, bytes_max); !fits) return fits;
  }
  return {};
}

Result<void> check_values(const ErrorEvent& event) {
  if (event.values.size() > kValuesMax) {
    return bad("it has " + std::to_string(event.values.size()) + " values, at most " + std::to_string(kValuesMax) +
               " are allowed");
  }
  for (const auto& [name, value] : event.values) {
    if (!within_depth(value, kValuesDepthMax)) {
      return bad("value '" + name.substr(0, 40) + "' is nested deeper than " + std::to_string(kValuesDepthMax));
    }
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : event.values) bytes += name.size() + size_of(value);
  if (bytes <= kValuesBytesMax) return {};
  return bad("its values have " + std::to_string(bytes) + " bytes, at most " + std::to_string(kValuesBytesMax) +
             " are allowed");
}

bool is_trace_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

void make_utf8(std::string& text) {
  if (!utf8::valid(text)) text = utf8::replace_invalid(text);
}

Result<void> check_event(ErrorEvent& event) {
  for (std::string* text : {&event.code, &event.category, &event.version, &event.config_hash, &event.message,
                            &event.exception, &event.stack, &event.fingerprint}) {
    make_utf8(*text);
  }
  make_utf8_members(event.values);
  if (event.id.is_nil()) return bad("it has no id");
  if (event.code.empty()) return bad("it has no code");
  if (event.time_us <= 0) return bad("it has no time");
  if (auto name = check_name("host", event.host); !name) return bad(name.error().message);
  if (auto name = check_name("agent", event.agent); !name) return bad(name.error().message);
  if (event.repeated > kRepeatedMax) {
    return bad("repeated is " + std::to_string(event.repeated) + ", at most " + std::to_string(kRepeatedMax) +
               " is allowed");
  }
  if (!event.trace_id.empty() && !is_trace_id(event.trace_id)) return bad("trace_id is not 32 hex digits");
  if (auto words = check_words(event); !words) return words;
  return check_values(event);
}

Result<void> check_events(std::vector<ErrorEvent>& events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto checked = check_event(events[i]);
    if (checked) continue;
    return Error(codes::bad_event,
                 "event " + std::to_string(i + 1) + " of " + std::to_string(events.size()) + " (id " +
                     events[i].id.to_string() + ", code '" + events[i].code.substr(0, 40) +
                     "') is refused: " + checked.error().message,
                 "mend the agent that reports it; none of the events sent with it was taken");
  }
  return {};
}

}  // namespace weft::errorbus
