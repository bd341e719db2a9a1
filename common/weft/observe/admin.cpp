// The admin door: health, metrics and facts of one process over HTTP.
#include "weft/observe/observe.hpp"
#include "weft/observe/openmetrics.hpp"

namespace weft::observe {
namespace {

io::HttpResponse json(const Value& value) {
  io::HttpResponse out;
  out.content_type = "application/json";
  out.body = to_json(value) + "\n";
  return out;
}

std::string named(Health::Status status) {
  return status == Health::pass ? "pass" : status == Health::warn ? "warn" : "fail";
}

/// draft-inadarei-api-health-check, as its readers know it.
io::HttpResponse health_answer(Health::Status status, Value body) {
  io::HttpResponse out;
  out.status = status == Health::critical ? 503 : 200;
  out.content_type = "application/health+json";
  out.headers["Cache-Control"] = "no-store";
  body.set("status", named(status));
  out.body = to_json(body) + "\n";
  return out;
}

Value described(Health::Status status, const std::string& text) {
  Value::Map one{{"status", named(status)}};
  if (!text.empty()) one.emplace("output", text);
  return Value::List{std::move(one)};
}

/// ?exclude=a,b leaves checks out; ?verbose tells those that pass too.
io::HttpResponse readiness(const Health& health, const io::HttpRequest& request) {
  const auto excluded = request.query.find("exclude");
  const auto is_excluded = [&](std::string_view name) {
    if (excluded == request.query.end()) return false;
    const auto names = split(excluded->second, ',');
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  Health::Status worst = health.started() ? Health::pass : Health::critical;
  Value checks;
  const bool verbose = request.query.contains("verbose");
  if (!health.started() || verbose) checks.set("started", described(worst, {}));
  for (const auto& [name, check] : health.checks()) {
    if (is_excluded(name)) continue;
    worst = std::max(worst, check.status);
    if (check.status != Health::pass || verbose) checks.set(name, described(check.status, check.text));
  }
  Value body;
  if (!checks.is_null()) body.set("checks", std::move(checks));
  return health_answer(worst, std::move(body));
}

io::HttpResponse metrics_answer(Metrics& metrics, const io::HttpRequest& request) {
  const auto accept = request.headers.find("accept");
  const bool open = accept != request.headers.end() && wants_openmetrics(accept->second);
  io::HttpResponse out;
  out.content_type =
      open ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";
  out.body = metrics.render(open ? Metrics::Format::openmetrics : Metrics::Format::text);
  return out;
}

}  // namespace

Result<std::unique_ptr<Admin>> Admin::open(io::IoLoop& loop, const std::string& address, std::uint16_t port,
                                           Metrics& metrics, const Health& health, std::function<Value()> info,
                                           std::vector<std::string> hosts) {
  io::HttpServer::Limits limits;
  limits.hosts = std::move(hosts);
  auto server = io::HttpServer::listen(loop, address, port, std::move(limits));
  if (!server) return server.error();
  std::unique_ptr<Admin> admin(new Admin(std::move(*server)));
  // That this answers at all says that the loop turns; it asks for nothing else on purpose.
  admin->get("/livez", [](const auto&) { return health_answer(Health::pass, {}); });
  const auto ready = [&health](const io::HttpRequest& request) { return readiness(health, request); };
  admin->get("/readyz", ready);
  admin->get("/healthz", ready);
  admin->get("/startupz",
             [&health](const auto&) { return health_answer(health.started() ? Health::pass : Health::critical, {}); });
  admin->get("/metrics", [&metrics](const auto& request) { return metrics_answer(metrics, request); });
  admin->get("/version", [info](const auto&) {
    const auto all = info();
    return json(Value::Map{{"agent", all["agent"]}, {"version", all["version"]}});
  });
  admin->get("/info", [info](const auto&) { return json(info()); });
  return admin;
}

}  // namespace weft::observe
