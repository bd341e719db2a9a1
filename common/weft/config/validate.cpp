// valijson (draft 7) on Boost.JSON; its texts become kinds here, so that nothing else depends on its wording.
#define VALIJSON_USE_EXCEPTIONS 1
#include "weft/config/validate.hpp"

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "weft/base/codes.hpp"

namespace weft::config {
namespace {

boost::json::value to_boost(const Value& value) {
  switch (value.type()) {
    case Value::Type::boolean:
      return value.as_bool();
    case Value::Type::integer:
      return value.as_int();
    case Value::Type::number:
      return value.as_double();
    case Value::Type::string:
      return boost::json::string(value.as_string());
    case Value::Type::list: {
      boost::json::array array;
      for (const auto& item : value.as_list()) array.push_back(to_boost(item));
      return array;
    }
    case Value::Type::map: {
      boost::json::object object;
      for (const auto& [key, member] : value.as_map()) object.emplace(key, to_boost(member));
      return object;
    }
    default:
      return nullptr;
  }
}

Finding::Kind kind_of(std::string_view text) {
  using Kind = Finding::Kind;
  if (text.starts_with("Object contains a property that could not be validated")) return Kind::unknown_key;
  if (text.starts_with("Missing required property")) return Kind::missing;
  if (text.find("anyOf") != text.npos || text.find("oneOf") != text.npos || text.find("exactly one child") != text.npos)
    return Kind::alternative;
  if (text.starts_with("Failed to validate")) return Kind::enclosing;
  return Kind::value;
}

/// What stands between `open` and the last quote.
std::string quoted(const std::string& text, std::string_view open) {
  const auto from = text.find(open), to = text.rfind('\'');
  if (from == text.npos || to < from + open.size()) return "";
  return text.substr(from + open.size(), to - from - open.size());
}

Finding to_finding(const valijson::ValidationResults::Error& error) {
  Finding finding;
  finding.kind = kind_of(error.description);
  for (std::size_t i = 1; i < error.context.size(); ++i)  // the first is "<root>", the others are "[key]"
    finding.path.push_back(error.context[i].substr(1, error.context[i].size() - 2));
  const bool unknown = finding.kind == Finding::Kind::unknown_key;
  if (unknown || finding.kind == Finding::Kind::missing)
    finding.key = quoted(error.description, unknown ? ": '" : " '");
  return finding;
}

}  // namespace

Result<std::vector<Finding>> validate(const Value& schema, const Value& document) try {
  const boost::json::value schema_json = to_boost(schema), document_json = to_boost(document);
  valijson::Schema parsed;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::BoostJsonAdapter(schema_json), parsed);
  valijson::Validator validator;
  valijson::ValidationResults results;
  std::vector<Finding> findings;
  if (validator.validate(parsed, valijson::adapters::BoostJsonAdapter(document_json), &results)) return findings;
  for (const auto& error : results) findings.push_back(to_finding(error));
  if (findings.empty()) findings.push_back({Finding::Kind::enclosing, {}, {}});
  return findings;
} catch (const std::exception& error) {
  return Error(codes::bad_config, error.what());
}

}  // namespace weft::config
