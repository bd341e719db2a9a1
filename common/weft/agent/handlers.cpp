#include "weft/agent/handlers.hpp"

namespace weft {

Task<void> Handlers::on(Job job) {
  try {
    co_await job.work();
  } catch (...) {
    failed_("a task", std::current_exception());
  }
}

void Handlers::on(Errand errand) { errand.work(); }

void Handlers::on(Tick tick) {
  try {
    (*tick.work)();
  } catch (...) {
    failed_("work done every " + to_text(tick.period), std::current_exception());
  }
}

void Handlers::on(Repeat repeat, actor::Context& context) { context.send_every(repeat.tick.period, repeat.tick); }

}  // namespace weft
