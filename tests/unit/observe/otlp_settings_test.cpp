#include "tests/support/catch.hpp"
#include "weft/observe/otlp.hpp"

using namespace weft;
using namespace weft::observe;

namespace {
using Environment = std::map<std::string, std::string>;
OtlpSettings read(Environment environment) {
  return otlp_settings(environment, {{"service.name", "echo"}, {"host.name", "alpha"}});
}
const std::string kEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
OtlpSettings with(Environment more) {
  more.emplace(kEndpoint, "http://127.0.0.1:4318");
  auto out = read(more);
  CHECK(out.url == "http://127.0.0.1:4318/v1/traces");
  return out;
}
bool tells(const OtlpSettings& settings, const std::string& part) {
  REQUIRE(settings.mistakes.size() == 1);
  return settings.mistakes[0].find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("without an endpoint nothing is exported or sampled") {
  const auto settings = read({{kEndpoint, ""}});
  CHECK(settings.url.empty());
  CHECK(settings.sampling.ratio == 0);
  CHECK(settings.sampling.parent_based);
  CHECK(settings.mistakes.empty());
}

TEST_CASE("an endpoint is enough: every trace that begins here goes there, as the parent says otherwise") {
  const auto settings = with({});
  CHECK(settings.sampling.ratio == 1);
  CHECK(settings.sampling.parent_based);
  CHECK(settings.queue_max == 2048);
  CHECK(settings.batch_max == 512);
  CHECK(settings.delay == 5s);
  CHECK(settings.mistakes.empty());
  CHECK(read({{kEndpoint, "http://c:1/base/"}}).url == "http://c:1/base/v1/traces");
  CHECK(read({{kEndpoint, "http://c:1"}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://d/x"}}).url == "http://d/x");
}

TEST_CASE("an endpoint with TLS is refused and told what to do instead") {
  const auto settings = read({{kEndpoint, "https://api.example:4318"}});
  CHECK(settings.url.empty());
  CHECK(settings.sampling.ratio == 0);
  CHECK(tells(settings, "OTEL_EXPORTER_OTLP_ENDPOINT 'https://api.example:4318'"));
  CHECK(tells(settings, "a collector on this host"));
  CHECK(tells(read({{kEndpoint, "localhost:4317"}}), "wanted http://host:port"));
}

TEST_CASE("export can be switched off") {
  for (const auto& [name, value] : Environment{{"OTEL_SDK_DISABLED", "true"}, {"OTEL_TRACES_EXPORTER", "none"}}) {
    const auto settings = read({{kEndpoint, "http://c"}, {name, value}});
    CHECK(settings.url.empty());
    CHECK(settings.sampling.ratio == 0);
    CHECK(settings.mistakes.empty());
  }
  CHECK(with({{"OTEL_SDK_DISABLED", "false"}}).sampling.ratio == 1);
  CHECK(tells(read({{kEndpoint, "http://c"}, {"OTEL_TRACES_EXPORTER", "zipkin"}}), "wanted otlp or none"));
}

TEST_CASE("samplers are those of the specification") {
  const auto sampling = [](const std::string& sampler, const std::string& arg = {}) {
    return with({{"OTEL_TRACES_SAMPLER", sampler}, {"OTEL_TRACES_SAMPLER_ARG", arg}}).sampling;
  };
  CHECK(sampling("always_on").ratio == 1);
  CHECK_FALSE(sampling("always_on").parent_based);
  CHECK(sampling("always_off").ratio == 0);
  CHECK(sampling("parentbased_always_off").ratio == 0);
  CHECK(sampling("parentbased_always_off").parent_based);
  CHECK(sampling("traceidratio", "0.25").ratio == 0.25);
  CHECK(sampling("ParentBased_TraceIDRatio", "0.5").ratio == 0.5);
  CHECK(sampling("parentbased_traceidratio").ratio == 1);
}

TEST_CASE("a sampler that is none is told and the default taken") {
  const auto settings = with({{"OTEL_TRACES_SAMPLER", "jaeger_remote"}});
  CHECK(tells(settings, "jaeger_remote"));
  CHECK(settings.sampling.ratio == 1);
  for (const auto* wrong : {"-0.1", "1.1", "many", "nan", "0.5x"}) {
    const auto ratio = with({{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", wrong}});
    CHECK(tells(ratio, wrong));
    CHECK(ratio.sampling.ratio == 1);
  }
}

TEST_CASE("another protocol is told, and JSON sent all the same") {
  CHECK(tells(with({{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}), "http/json"));
  CHECK(with({{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}}).mistakes.empty());
}

TEST_CASE("headers are pairs, percent-encoded; a wrong one is left out and its value not told") {
  const auto settings = with({{"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb, x=1=2 ,,"}});
  CHECK(settings.headers == std::map<std::string, std::string>{{"api-key", "a,b"}, {"x", "1=2"}});
  CHECK(settings.mistakes.empty());
  for (const auto* wrong : {"a b=hush", "x=hush%0D%0AEvil: 1", "=hush", "x%3A=hush", "x=hush%G1", "x=hush%2"}) {
    CAPTURE(wrong);
    const auto refused = with({{"OTEL_EXPORTER_OTLP_HEADERS", wrong}});
    CHECK(refused.headers.empty());
    CHECK_FALSE(tells(refused, "hush"));
  }
}

TEST_CASE("resource attributes add to what the process says of itself, and the service name goes before") {
  const auto settings =
      with({{"OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=lab,host.name=other,service.name=a"}});
  CHECK(settings.resource ==
        Attributes{{"deployment.environment", "lab"}, {"host.name", "other"}, {"service.name", "a"}});
  CHECK(
      with({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a"}, {"OTEL_SERVICE_NAME", "b"}}).resource.at("service.name") ==
      "b");
  CHECK(with({}).resource.at("service.name") == "echo");
}

TEST_CASE("sizes and times have bounds") {
  const auto settings = with(
      {{"OTEL_BSP_MAX_QUEUE_SIZE", "100"}, {"OTEL_BSP_SCHEDULE_DELAY", "250"}, {"OTEL_EXPORTER_OTLP_TIMEOUT", "100"}});
  CHECK(settings.queue_max == 100);
  CHECK(settings.batch_max == 100);
  CHECK(settings.delay == 250ms);
  CHECK(settings.timeout == 100ms);
  for (const auto* wrong : {"0", "-1", "many", "99999999999999999999"}) {
    const auto refused = with({{"OTEL_BSP_MAX_QUEUE_SIZE", wrong}});
    CHECK(tells(refused, wrong));
    CHECK(refused.queue_max == 2048);
  }
}
