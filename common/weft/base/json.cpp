// JSON through Boost.JSON's streaming parser and serializer.
#include <boost/beast/core/detail/base64.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

#include "weft/base/codes.hpp"
#include "weft/base/value_builder.hpp"

namespace weft {
namespace {
namespace json = boost::json;
using boost::system::error_code;

struct Handler {
  constexpr static std::size_t max_object_size = std::size_t(-1);
  constexpr static std::size_t max_array_size = std::size_t(-1);
  constexpr static std::size_t max_key_size = std::size_t(-1);
  constexpr static std::size_t max_string_size = std::size_t(-1);

  detail::ValueBuilder builder;
  std::string text{};

  explicit Handler(const DecodeLimits& limits) : builder(limits) {}
  static bool check(bool fine, error_code& error) {
    if (!fine) error = json::error::exception;
    return fine;
  }
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& error) { return check(builder.begin_map(), error); }
  bool on_object_end(std::size_t, error_code& error) { return check(builder.end(), error); }
  bool on_array_begin(error_code& error) { return check(builder.begin_list(), error); }
  bool on_array_end(std::size_t, error_code& error) { return check(builder.end(), error); }
  bool on_key_part(json::string_view part, std::size_t, error_code&) { return append(part); }
  bool on_key(json::string_view part, std::size_t, error_code& error) {
    append(part);
    return check(builder.key(std::exchange(text, {})), error);
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) { return append(part); }
  bool on_string(json::string_view part, std::size_t, error_code& error) {
    append(part);
    return check(builder.add(std::exchange(text, {})), error);
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, error_code& error) { return check(builder.add(number), error); }
  bool on_uint64(std::uint64_t number, json::string_view, error_code& error) {
    return check(builder.add(static_cast<double>(number)), error);
  }
  bool on_double(double number, json::string_view, error_code& error) { return check(builder.add(number), error); }
  bool on_bool(bool value, error_code& error) { return check(builder.add(value), error); }
  bool on_null(error_code& error) { return check(builder.add(nullptr), error); }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  bool append(json::string_view part) {
    text.append(part.data(), part.size());
    return true;
  }
};

std::string base64(const Bytes& bytes) {
  namespace codec = boost::beast::detail::base64;
  std::string out(codec::encoded_size(bytes.size()), '\0');
  out.resize(codec::encode(out.data(), bytes.data(), bytes.size()));
  return out;
}

void quote(std::string& out, const std::string& text) {
  out += json::serialize(json::string_view(text.data(), text.size()));
}

/// The shortest text that reads back as the same number, and as no integer: "2.5", "2.0". Boost.JSON writes 2.5E0.
void write_number(std::string& out, double number) {
  if (!std::isfinite(number)) {  // JSON has no NaN
    out += "null";
    return;
  }
  char text[32];
  const char* end = std::to_chars(text, text + sizeof text, number).ptr;
  const std::string_view digits(text, static_cast<std::size_t>(end - text));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void write(std::string& out, const Value& value, int indent);

template <class Range, class One>
void write_members(std::string& out, const Range& range, char open, char close, int indent, const One& one) {
  const int inner = indent < 0 ? -1 : indent + 2;
  out += open;
  bool first = true;
  for (const auto& member : range) {
    if (!first) out += ',';
    first = false;
    if (inner >= 0) out.append("\n").append(static_cast<std::size_t>(inner), ' ');
    one(member, inner);
  }
  if (!first && indent >= 0) out.append("\n").append(static_cast<std::size_t>(indent), ' ');
  out += close;
}

void write(std::string& out, const Value& value, int indent) {
  switch (value.type()) {
    case Value::Type::null:
      out += "null";
      break;
    case Value::Type::boolean:
      out += value.as_bool() ? "true" : "false";
      break;
    case Value::Type::integer:
      out += std::to_string(value.as_int());
      break;
    case Value::Type::number:
      write_number(out, value.as_double());
      break;
    case Value::Type::string:
      quote(out, value.as_string());
      break;
    case Value::Type::bytes:
      quote(out, base64(value.as_bytes()));
      break;
    case Value::Type::list:
      write_members(out, value.as_list(), '[', ']', indent,
                    [&](const Value& item, int inner) { write(out, item, inner); });
      break;
    case Value::Type::map:
      write_members(out, value.as_map(), '{', '}', indent, [&](const auto& member, int inner) {
        quote(out, member.first);
        out += inner < 0 ? ":" : ": ";
        write(out, member.second, inner);
      });
      break;
  }
}

}  // namespace

std::string to_json(const Value& value) {
  std::string out;
  write(out, value, -1);
  return out;
}

std::string to_json_pretty(const Value& value) {
  std::string out;
  write(out, value, 0);
  return out;
}

Result<Value> from_json(std::string_view text, const DecodeLimits& limits) {
  json::parse_options options;
  options.max_depth = limits.depth;
  json::basic_parser<Handler> parser(options, limits);
  error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size() && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    error = json::error::extra_data;
  if (!error) return parser.handler().builder.take();
  const std::string why = error == json::error::exception ? parser.handler().builder.what() : error.message();
  return Error(codes::bad_encoding, "JSON at byte " + std::to_string(used) + ": " + why);
}

}  // namespace weft
