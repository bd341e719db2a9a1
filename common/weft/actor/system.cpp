#include "weft/actor/system.hpp"

#include <condition_variable>
#include <thread>

#include "weft/actor/runtime/futex.hpp"
#include "weft/actor/runtime/runtime_inline.hpp"
#include "weft/actor/runtime/stopping.hpp"
#include "weft/actor/runtime/supervisor.hpp"

namespace weft::actor {

std::string_view to_string(Priority priority) noexcept {
  constexpr auto names = std::to_array<std::string_view>({"low", "normal", "high", "critical"});
  static_assert(names.size() == kPriorityCount);
  return names[static_cast<std::size_t>(priority)];
}
std::string_view to_string(Drop reason) noexcept {
  constexpr auto names =
      std::to_array<std::string_view>({"no_such_actor", "stopped", "unhandled", "expired", "overflow", "late"});
  static_assert(names.size() == kDropReasons);
  return names[static_cast<std::size_t>(reason)];
}
std::string_view to_string(State state) noexcept {
  constexpr auto names = std::to_array<std::string_view>({"starting", "running", "stopping", "stopped", "failed"});
  static_assert(names.size() == kStateCount);
  return names[static_cast<std::size_t>(state)];
}

System::System(std::unique_ptr<Scheduler> scheduler, SystemOptions options, Monitor* monitor)
    : runtime_(std::make_unique<Runtime>(std::move(scheduler), std::move(options), monitor, *this)) {}

System::~System() {
  if (!runtime_->all_stopped()) (void)stop_now();
}

void System::stop_now() {
  runtime_->stop_all(false);
  while (!runtime_->all_stopped() && runtime_->scheduler().drive(1ms)) {
  }
}

Result<Address> System::start(ChildSpec spec, const Address& under) {
  if (auto open = taking({}, nullptr); !open) return std::move(open.error());
  const Address supervisor = under ? under : runtime_->root();
  const Cell& cell = *Cell::of(supervisor);
  const bool fits = cell.generation.load(std::memory_order_acquire) == Cell::generation_of(supervisor) &&
                    cell.type == &actor_type<SupervisorActor>();
  if (!fits) return Error(codes::no_such_actor, runtime_->name_of(supervisor) + " is no supervisor");
  auto reserved = runtime_->reserve(std::move(spec), supervisor);
  if (!reserved) return reserved;
  runtime_->force(supervisor, Envelope::make<Adopt>(Envelope::Kind::message, Adopt{Reserved(*runtime_, *reserved)}));
  return reserved;
}

Result<std::shared_ptr<PoolMembers>> System::start_pool(PoolOptions options, ChildSpec member) {
  constexpr std::size_t kSizeMax = 65'536;
  if (options.size == 0 || options.size > kSizeMax) {
    return Error(codes::bad_value,
                 "size: a pool has 1 to " + std::to_string(kSizeMax) + " members, not " + std::to_string(options.size));
  }
  if (auto fine = check_actor_name(options.name); !fine) return std::move(fine.error());
  ChildOptions own;
  own.name = options.name;
  own.restart = Restart::temporary;  // after a restart it would not know its members
  auto supervisor = start(actor::supervisor(own, options.supervision, {}));
  if (!supervisor) return std::move(supervisor.error());
  std::vector<Address> members;
  for (std::size_t i = 0; i < options.size; ++i) {
    ChildSpec spec = member;
    spec.options.name = options.name + "/" + std::to_string(i);
    spec.options.mailbox = options.mailbox;
    auto started = start(std::move(spec), *supervisor);
    if (!started) {
      stop(*supervisor);
      return std::move(started.error());
    }
    members.push_back(*started);
  }
  auto pool = std::make_shared<PoolMembers>(*supervisor, std::move(members), options);
  runtime_->names.set_pool(options.name, pool);
  return pool;
}

void System::stop(const Address& actor) { runtime_->stop(actor); }

Result<void> System::taking(const Address& to, Envelope* envelope) {
  if (!runtime_->stopping()) return {};
  Error error(codes::system_stopping, "the system is stopping and takes nothing new");
  if (envelope) runtime_->drop(envelope, to, Drop::stopped, error);
  return error;
}

Result<void> System::submit(const Address& to, Envelope* envelope, const SendOptions& options) {
  if (auto open = taking(to, envelope); !open) return open;
  runtime_->stamp(*envelope, options, nullptr, nullptr);
  return runtime_->submit(to, envelope);
}

Result<void> System::submit(std::string_view name, Envelope* envelope, const SendOptions& options) {
  const Address to = runtime_->names.find(name);
  if (to) return submit(to, envelope, options);
  Error error(codes::no_such_actor, "no actor is named '" + std::string(name.substr(0, 128)) + "'");
  runtime_->drop(envelope, {}, Drop::no_such_actor, error, name);
  return error;
}

Result<void> System::submit_wait(const Address& to, Envelope* envelope, const SendOptions& options, Duration timeout) {
  if (auto open = taking(to, envelope); !open) return open;
  runtime_->stamp(*envelope, options, nullptr, nullptr);
  Envelope* blocked = nullptr;
  if (auto sent = runtime_->submit(to, envelope, &blocked); !sent || !blocked) return sent;
  struct Waited {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<bool> accepted;
  };
  auto waited = std::make_shared<Waited>();
  const std::uint64_t ticket = runtime_->wait_for_room(to, blocked, [waited](bool accepted) {
    const std::lock_guard lock(waited->mutex);
    waited->accepted = accepted;
    waited->changed.notify_one();
  });
  std::unique_lock lock(waited->mutex);
  auto told = [&] { return waited->accepted.has_value(); };
  if (timeout == Duration()) {
    waited->changed.wait(lock, told);
  } else if (!waited->changed.wait_for(lock, timeout, told)) {
    lock.unlock();
    if (runtime_->cancel_wait(to, ticket)) {
      return Error(codes::mailbox_full,
                   runtime_->name_of(to) + " had no room in its mailbox within " + to_text(timeout));
    }
    lock.lock();
    waited->changed.wait(lock, told);
  }
  if (!*waited->accepted) return Error(codes::actor_closed, runtime_->name_of(to) + " has stopped meanwhile");
  return {};
}

void System::ask(const Address& to, Envelope* request, const SendOptions& options, ReplyPort& port) {
  request->correlation = reinterpret_cast<std::uintptr_t>(&port);
  request->external = true;
  (void)submit(to, request, options);  // a refusal has answered
}

Result<std::size_t> System::publish_copies(std::string_view topic, const SendOptions& options,
                                           Envelope* (*copy)(const void*), const void* original) {
  if (auto open = taking({}, nullptr); !open) return std::move(open.error());
  return runtime_->publish(topic, options, nullptr, nullptr, copy, original);
}

Address System::find(std::string_view name) const { return runtime_->names.find(name); }

std::optional<ActorInfo> System::info(const Address& actor) const {
  Cell* cell = Cell::of(actor);
  if (!cell || cell->generation.load(std::memory_order_acquire) != Cell::generation_of(actor)) return std::nullopt;
  return runtime_->info(*cell, runtime_->names.by_id());
}

std::vector<ActorInfo> System::snapshot(std::size_t limit) const { return runtime_->snapshot(limit); }
Totals System::totals() const { return runtime_->totals(); }
std::vector<DeadLetter> System::dead_letters() const { return runtime_->dead_letters.list(); }

Result<void> System::resend(std::uint64_t number, const Address& to) {
  if (auto open = taking({}, nullptr); !open) return open;
  Address target;
  std::string name;
  Envelope* envelope = runtime_->dead_letters.take(number, target, name);
  if (!envelope) return Error(codes::no_such_actor, "there is no dead letter number " + std::to_string(number));
  if (!to && !target) target = runtime_->names.find(name);
  return runtime_->submit(to ? to : target, envelope);
}

ShutdownReport System::shutdown(Duration budget) {
  Stopping stopping(*runtime_, budget);
  int idle = 0;
  while (!stopping.step()) {
    idle = runtime_->scheduler().drive(1ms) ? 0 : idle + 1;
    if (idle > 3 && !stopping.hurry()) break;
  }
  return stopping.report();
}

void System::shutdown_async(Loop& loop, Duration budget, UniqueFunction<void(ShutdownReport)> done) {
  struct Poll {
    Stopping stopping;
    Loop& loop;
    UniqueFunction<void(ShutdownReport)> done;
  };
  auto poll = std::make_shared<Poll>(Poll{Stopping(*runtime_, budget), loop, std::move(done)});
  auto again = std::make_shared<UniqueFunction<void()>>();
  *again = [poll, weak = std::weak_ptr(again)] {
    if (poll->stopping.step()) return poll->done(poll->stopping.report());
    poll->loop.after(1ms, [keep = weak.lock()] { (*keep)(); });
  };
  loop.post([again] { (*again)(); });
}

std::optional<std::string> System::failure() const {
  const std::lock_guard lock(runtime_->root_failure_mutex);
  return runtime_->root_failure;
}

const Clock& System::clock() const noexcept { return runtime_->clock(); }
Scheduler& System::scheduler() noexcept { return runtime_->scheduler(); }

namespace detail {

Result<Address> spawn(Runtime& runtime, Cell* parent, const ActorType& type, SpawnOptions options,
                      void (*construct)(void*, void*), void* data) {
  return runtime.spawn(parent, type, std::move(options), construct, data);
}

Blocking::~Blocking() {
  if (reply_) Envelope::destroy(reply_);
}

void Blocking::release() noexcept {
  if (shares_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void Blocking::answer(Envelope* reply) noexcept {
  reply_ = reply;
  state_.store(1, std::memory_order_release);
  futex::wake(state_, 1);
  release();
}

Envelope* Blocking::wait(Duration timeout) noexcept {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (state_.load(std::memory_order_acquire) == 0) {
    Duration left{};
    if (timeout > Duration()) {
      left = end - std::chrono::steady_clock::now();
      if (left <= Duration()) return nullptr;
    }
    futex::wait(state_, 0, left);
  }
  return std::exchange(reply_, nullptr);
}

}  // namespace detail
}  // namespace weft::actor
