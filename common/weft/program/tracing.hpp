// Tracing: the tracer of a process, and its exporter where the environment names a collector. Private to program.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "weft/config/config.hpp"
#include "weft/observe/otlp.hpp"

namespace weft::program {

/// Who the spans of this process are of.
observe::Attributes trace_resource(const config::Config& config, const std::string& agent, const std::string& version);

class Tracing {
 public:
  static constexpr Duration kFlushMax = 2s;

  /// Borrows all but `settings`.
  Tracing(io::IoLoop& loop, observe::OtlpSettings settings, Random& random, observe::Metrics& metrics,
          observe::Log& log);
  observe::Tracer& tracer() noexcept { return tracer_; }
  /// Sends what waits for export; at most `budget`, and kFlushMax.
  Task<void> flush(Duration budget);

 private:
  observe::Tracer tracer_;
  std::unique_ptr<observe::OtlpExporter> exporter_;
};

}  // namespace weft::program
