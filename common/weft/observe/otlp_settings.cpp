// The variables of OpenTelemetry, as far as they mean something here:
// opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables
#include <algorithm>
#include <charconv>

#include "weft/observe/otlp.hpp"

namespace weft::observe {
namespace {

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number out{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// "%2C" becomes ","; none for a broken escape or a control character.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto [end, failed] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      if (failed != std::errc() || end != text.data() + i + 3) return std::nullopt;
      i += 2;
    }
    if (byte < ' ' || byte == 0x7f) return std::nullopt;
    out += static_cast<char>(byte);
  }
  return out;
}

bool is_header_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

class Reader {
 public:
  Reader(const std::map<std::string, std::string>& environment, OtlpSettings& out)
      : environment_(environment), out_(out) {}

  void read() {
    const bool disabled = to_lower(get("OTEL_SDK_DISABLED")) == "true";
    if (!disabled) read_url();
    if (!disabled) out_.sampling.ratio = out_.url.empty() ? 0 : 1;
    if (!disabled) read_sampler();
    read_headers();
    read_resource();
    read_number("OTEL_BSP_MAX_QUEUE_SIZE", 1, 1'000'000, out_.queue_max);
    read_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 100'000, out_.batch_max);
    out_.batch_max = std::min(out_.batch_max, out_.queue_max);
    read_milliseconds("OTEL_BSP_SCHEDULE_DELAY", out_.delay);
    read_milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", out_.timeout);
    read_milliseconds("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", out_.timeout);
  }

 private:
  std::string get(const std::string& name) const {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::string() : std::string(trimmed(found->second));
  }
  /// The variable of traces goes before the one of all signals.
  std::string otlp(const std::string& name) const {
    const auto own = get("OTEL_EXPORTER_OTLP_TRACES_" + name);
    return own.empty() ? get("OTEL_EXPORTER_OTLP_" + name) : own;
  }
  void mistake(std::string text) { out_.mistakes.push_back(std::move(text)); }

  void read_url() {
    const auto exporter = get("OTEL_TRACES_EXPORTER");
    if (!exporter.empty() && exporter != "otlp") {
      if (exporter != "none")
        mistake("OTEL_TRACES_EXPORTER '" + exporter + "': wanted otlp or none; no spans are exported");
      return;
    }
    std::string url = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    const bool whole = !url.empty();
    if (!whole) url = get("OTEL_EXPORTER_OTLP_ENDPOINT");
    if (url.empty()) return;
    const std::string name = whole ? "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" : "OTEL_EXPORTER_OTLP_ENDPOINT";
    if (to_lower(url).starts_with("https://")) {
      return mistake(name + " '" + url +
                     "': spans are sent over plain HTTP only; point it to a collector on this host, such as "
                     "http://127.0.0.1:4318, which speaks TLS to others; no spans are exported");
    }
    if (!url.starts_with("http://")) {
      return mistake(name + " '" + url +
                     "': wanted http://host:port, such as http://127.0.0.1:4318; no spans are exported");
    }
    if (const auto protocol = otlp("PROTOCOL"); !protocol.empty() && protocol != "http/json")
      mistake("OTEL_EXPORTER_OTLP_PROTOCOL '" + protocol +
              "': spans are sent as http/json, which collectors take on port 4318");
    if (!whole) {
      while (url.ends_with('/')) url.pop_back();
      url += "/v1/traces";
    }
    out_.url = url;
  }

  void read_sampler() {
    std::string sampler = to_lower(get("OTEL_TRACES_SAMPLER"));
    if (sampler.empty()) return;
    constexpr std::string_view kParent = "parentbased_";
    const bool parent_based = sampler.starts_with(kParent);
    const auto root = parent_based ? sampler.substr(kParent.size()) : sampler;
    if (root != "always_on" && root != "always_off" && root != "traceidratio") {
      return mistake("OTEL_TRACES_SAMPLER '" + sampler +
                     "': wanted always_on, always_off or traceidratio, with or without parentbased_ before it; "
                     "parentbased_always_on is taken");
    }
    out_.sampling = {parent_based, root == "always_off" ? 0.0 : 1.0};
    if (root == "traceidratio") read_ratio();
  }
  void read_ratio() {
    const auto text = get("OTEL_TRACES_SAMPLER_ARG");
    const auto ratio = number<double>(text);
    if (ratio && *ratio >= 0 && *ratio <= 1) {
      out_.sampling.ratio = *ratio;
    } else if (!text.empty()) {
      mistake("OTEL_TRACES_SAMPLER_ARG '" + text + "': wanted a ratio from 0 to 1; 1 is taken");
    }
  }

  /// "name=value,name=value", percent-encoded. What is wrong is told without its value, which may be a secret.
  template <class Take>
  void read_pairs(const std::string& variable, const std::string& text, Take take) {
    for (const auto pair : split(text, ',')) {
      if (trimmed(pair).empty()) continue;
      const auto equals = pair.find('=');
      const auto name = decoded(trimmed(pair.substr(0, equals)));
      const auto value = equals == pair.npos ? std::nullopt : decoded(trimmed(pair.substr(equals + 1)));
      if (!name || name->empty() || !value || !take(*name, *value))
        mistake(variable + ": '" + std::string(trimmed(pair.substr(0, equals))) +
                "' is left out: wanted name=value, percent-encoded");
    }
  }
  void read_headers() {
    read_pairs("OTEL_EXPORTER_OTLP_HEADERS", otlp("HEADERS"),
               [this](const std::string& name, const std::string& value) {
                 if (!is_header_name(name)) return false;
                 out_.headers.insert_or_assign(name, value);
                 return true;
               });
  }
  void read_resource() {
    read_pairs("OTEL_RESOURCE_ATTRIBUTES", get("OTEL_RESOURCE_ATTRIBUTES"),
               [this](const std::string& name, const std::string& value) {
                 out_.resource.insert_or_assign(name, value);
                 return true;
               });
    if (const auto service = get("OTEL_SERVICE_NAME"); !service.empty()) out_.resource["service.name"] = service;
  }

  void read_number(const std::string& name, std::size_t least, std::size_t most, std::size_t& into) {
    const auto text = get(name);
    if (text.empty()) return;
    const auto read = number<std::size_t>(text);
    if (read && *read >= least && *read <= most) {
      into = *read;
    } else {
      mistake(name + " '" + text + "': wanted a number from " + std::to_string(least) + " to " + std::to_string(most) +
              "; " + std::to_string(into) + " is taken");
    }
  }
  void read_milliseconds(const std::string& name, Duration& into) {
    auto ms = static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::milliseconds>(into).count());
    read_number(name, 1, 3'600'000, ms);
    into = std::chrono::milliseconds(ms);
  }

  const std::map<std::string, std::string>& environment_;
  OtlpSettings& out_;
};

}  // namespace

OtlpSettings otlp_settings(const std::map<std::string, std::string>& environment, Attributes resource) {
  OtlpSettings out;
  out.resource = std::move(resource);
  Reader(environment, out).read();
  return out;
}

}  // namespace weft::observe
