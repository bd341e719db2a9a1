#include <algorithm>
#include <stdexcept>

#include "weft/actor/runtime/runtime_inline.hpp"

namespace weft::actor {

Runtime& Context::runtime() const noexcept { return Runtime::of(*cell_); }
System& Context::system() const noexcept { return runtime().system; }
bool Context::in_turn() noexcept {
  const Local* here = Runtime::local();
  return here && here->current;
}

Context Context::current() {
  if (!in_turn()) throw std::logic_error("no actor has its turn on this thread");
  return {*Runtime::local()->current, nullptr};
}

Address Context::self() const noexcept { return cell_->address(); }
Address Context::sender() const noexcept { return envelope_ ? envelope_->from() : Address(); }
TimePoint Context::now() const noexcept { return runtime().now(); }
const Trace* Context::trace() const noexcept {
  return envelope_ && envelope_->rare && envelope_->rare->traced ? &envelope_->rare->trace : nullptr;
}

Envelope* Context::stamped(Envelope* envelope, const SendOptions& options) {
  runtime().stamp(*envelope, options, cell_, envelope_);
  return envelope;
}

Result<void> Context::submit(std::string_view name, Envelope* envelope, const SendOptions& options) {
  Runtime& here = runtime();
  if (const Address to = here.names.find(name)) return submit(to, envelope, options);
  Error error(codes::no_such_actor, "no actor is named '" + std::string(name.substr(0, 128)) + "'");
  here.drop(envelope, {}, Drop::no_such_actor, error, name);
  return error;
}

ReturnAddress Context::take_return() noexcept {
  ReturnAddress address;
  if (!envelope_) return address;
  address.to_ = envelope_->from();
  address.correlation_ = std::exchange(envelope_->correlation, 0);
  address.external_ = envelope_->external;
  if (address && !address.external_) runtime().waits_for_somebody(address.to_, *cell_);
  return address;
}

TimerId Context::schedule(Duration delay, Duration period, UniqueFunction<Envelope*()> make) {
  Side& own = runtime().side(*cell_);
  const TimerId id = ++own.last_timer;
  auto scheduled = std::make_unique<Side::Scheduled>(*cell_, id, period, std::move(make));
  runtime().set_timer(*cell_, *scheduled, now() + delay);
  own.scheduled.emplace(id, std::move(scheduled));
  return id;
}

bool Context::cancel(TimerId timer) noexcept { return cell_->side && cell_->side->scheduled.erase(timer) > 0; }

void Context::stop(const Address& actor) {
  if (actor == self()) return stop();
  runtime().stop(actor);
}
void Context::stop() noexcept { runtime().stop_after(*cell_, Reason::normal, {}); }
void Context::watch(const Address& actor) { runtime().watch(actor, self()); }
void Context::unwatch(const Address& actor) { runtime().unwatch(actor, self()); }

Result<void> Context::subscribe(std::string_view pattern) {
  if (auto added = runtime().topics.add(pattern, self()); !added) return added;
  auto& own = runtime().side(*cell_).topics;
  if (std::find(own.begin(), own.end(), pattern) == own.end()) own.emplace_back(pattern);
  return {};
}

void Context::unsubscribe(std::string_view pattern) {
  runtime().topics.remove(pattern, self());
  if (cell_->side) std::erase(cell_->side->topics, pattern);
}

Result<std::size_t> Context::publish_copies(std::string_view topic, const SendOptions& options,
                                            Envelope* (*copy)(const void*), const void* original) {
  return runtime().publish(topic, options, cell_, envelope_, copy, original);
}

}  // namespace weft::actor
