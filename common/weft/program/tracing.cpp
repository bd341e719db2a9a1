#include "weft/program/tracing.hpp"

#include <algorithm>

namespace weft::program {

observe::Attributes trace_resource(const config::Config& config, const std::string& agent, const std::string& version) {
  return {{"service.name", agent},
          {"service.namespace", config.get<std::string>("mesh.name")},
          {"service.version", version},
          {"host.name", config.get<std::string>("host.name")}};
}

Tracing::Tracing(io::IoLoop& loop, observe::OtlpSettings settings, Random& random, observe::Metrics& metrics,
                 observe::Log& log)
    : tracer_(random, settings.sampling) {
  for (const auto& mistake : settings.mistakes) log.error("a variable of tracing is wrong", {{"mistake", mistake}});
  if (settings.url.empty()) return;
  auto post = observe::otlp_post(loop, settings);
  exporter_ = std::make_unique<observe::OtlpExporter>(loop, tracer_, std::move(settings), random, metrics, log,
                                                      std::move(post));
}

Task<void> Tracing::flush(Duration budget) {
  if (exporter_) co_await exporter_->flush(std::clamp(budget, Duration(), kFlushMax));
}

}  // namespace weft::program
