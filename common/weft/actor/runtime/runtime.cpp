#include "weft/actor/runtime/runtime.hpp"

#include <algorithm>
#include <stdexcept>

#include "weft/actor/runtime/supervisor.hpp"

namespace weft::actor {
namespace {

constexpr std::uint32_t kCellBatch = 32;  // cells that a thread takes and gives at once

}  // namespace

Runtime::Runtime(std::unique_ptr<Scheduler> scheduler, SystemOptions options, Monitor* monitor, System& of)
    : system(of),
      dead_letters(options.dead_letters_max),
      options_(std::move(options)),
      monitor_(monitor ? monitor : &no_monitor_),
      cells_(*this),
      scheduler_(std::move(scheduler)) {
  if (auto fine = check(options_); !fine) throw std::invalid_argument(fine.error().message);
  ChildSpec root = supervisor({}, options_.root, {});
  Cell* cell = make_cell(*root.type);
  open(*cell, root.options.mailbox, {});
  root_ = cell->address();
  side(*cell).name = "root";
  (void)names.add("root", root_);
  (*root.construct)(cell->object());
  cell->set(Cell::kBuilt);
  cell->farewell.store(Cell::kForgotten, std::memory_order_relaxed);
  cell->state.store(State::running, std::memory_order_relaxed);
  cell->inbox.store(Cell::kIdle, std::memory_order_release);
  actors_.store(1, std::memory_order_relaxed);
  if (options_.actors_max > 0) ++options_.actors_max;  // the root is not the user's
  scheduler_->start(*this);
}

Runtime::~Runtime() {
  scheduler_->stop();
  dead_letters.clear();  // destroying a request notifies the actor that waits for its reply
  scheduler_.reset();
}

void Runtime::attach(Local& local) noexcept {
  local.runtime = this;
  Runtime::local() = &local;
  local.now_ms = ms_of(now());
  const std::lock_guard lock(locals_mutex_);
  if (std::find(locals_.begin(), locals_.end(), &local) == locals_.end()) locals_.push_back(&local);
}

void Runtime::detach(Local& local) noexcept {
  if (Runtime::local() == &local) Runtime::local() = nullptr;
  for (std::size_t i = 0; i < local.free_cells.size(); ++i) cells_.give(i, std::exchange(local.free_cells[i], nullptr));
  const std::lock_guard lock(locals_mutex_);
  for (std::size_t i = 0; i < Counters::count; ++i) {
    outside_[i].fetch_add(local.counters.cells[i].exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  }
  std::erase(locals_, &local);
}

void Runtime::refresh(Local& local) const noexcept { local.now_ms = ms_of(now()); }

Cell* Runtime::make_cell(const ActorType& type) {
  const std::size_t size_class = CellStore::size_class(type);
  Cell* cell = nullptr;
  if (Local* here = own_local()) {
    if (!here->free_cells[size_class]) {
      here->free_cells[size_class] = cells_.take(size_class, kCellBatch);
      here->free_count[size_class] = kCellBatch;
    }
    cell = here->free_cells[size_class];
    here->free_cells[size_class] = cell->older;
    --here->free_count[size_class];
  } else {
    cell = cells_.take(size_class, 1);
  }
  cell->older = nullptr;
  std::atomic_ref(cell->type).store(&type, std::memory_order_relaxed);  // info() may look
  if (!Cell::in_place(type)) {
    *reinterpret_cast<void**>(reinterpret_cast<std::byte*>(cell) + sizeof(Cell)) =
        ::operator new(type.size, std::align_val_t(std::max<std::size_t>(type.align, 16)));
  }
  return cell;
}

void Runtime::free_cell(Cell& cell) noexcept {
  const ActorType& type = *cell.type;
  if (!Cell::in_place(type)) {
    ::operator delete(cell.object(), std::align_val_t(std::max<std::size_t>(type.align, 16)));
  }
  cell.inbox.store(Cell::kClosed, std::memory_order_relaxed);
  cell.generation.fetch_add(1, std::memory_order_release);
  const std::size_t size_class = CellStore::size_class(type);
  Local* here = own_local();
  cell.older = nullptr;
  if (!here) return cells_.give(size_class, &cell);
  cell.older = here->free_cells[size_class];
  here->free_cells[size_class] = &cell;
  if (++here->free_count[size_class] < 2 * kCellBatch) return;
  Cell* last = &cell;
  for (std::size_t i = 1; i < kCellBatch; ++i) last = last->older;
  here->free_cells[size_class] = std::exchange(last->older, nullptr);
  here->free_count[size_class] -= kCellBatch;
  cells_.give(size_class, &cell);
}

bool Runtime::is_live(const Cell& cell) noexcept {
  const std::uintptr_t inbox = cell.inbox.load(std::memory_order_acquire);
  const State state = cell.state.load(std::memory_order_relaxed);
  return inbox != Cell::kClosed ||
         (state == State::failed && cell.farewell.load(std::memory_order_relaxed) == Cell::kGone);
}

std::string Runtime::name_of(const Address& actor) const {
  if (!actor) return "nobody";
  const std::string name = names.name_of(actor.id());
  if (!name.empty()) return "actor '" + name + "'";
  Cell& cell = *Cell::of(actor);
  const bool alive = cell.generation.load(std::memory_order_acquire) == Cell::generation_of(actor);
  const std::string what(alive ? std::atomic_ref(cell.type).load(std::memory_order_relaxed)->name : "actor");
  return what + " #" + std::to_string(actor.id() >> 32) + "." + std::to_string(Cell::generation_of(actor));
}

ActorInfo Runtime::info(Cell& cell, const std::unordered_map<std::uint64_t, std::string>& by_id) {
  ActorInfo info;
  info.address = cell.address();
  if (Cell* parent = cell.parent.load(std::memory_order_acquire)) info.parent = parent->address().id();
  if (const auto named = by_id.find(info.address.id()); named != by_id.end()) info.name = named->second;
  const ActorType* type = std::atomic_ref(cell.type).load(std::memory_order_relaxed);
  info.type = type->name;
  info.supervisor = type == &actor_type<SupervisorActor>();
  info.state = cell.state.load(std::memory_order_relaxed);
  info.restarts = cell.restarts.load(std::memory_order_relaxed);
  info.received = cell.handled.load(std::memory_order_acquire);
  info.depth = cell.accepted.load(std::memory_order_acquire) - info.received;
  if (info.depth > 0x8000'0000U) info.depth = 0;  // the two were read apart
  info.capacity = cell.capacity.load(std::memory_order_relaxed);
  info.sent = cell.accepted.load(std::memory_order_relaxed);
  info.busy = cell.inbox.load(std::memory_order_relaxed) != Cell::kIdle &&
              cell.inbox.load(std::memory_order_relaxed) != Cell::kClosed;
  if (info.busy || info.depth > 0) {
    const std::uint32_t age = ms_of(now()) - cell.oldest_ms.load(std::memory_order_relaxed);
    info.oldest = std::chrono::milliseconds(age < 0x8000'0000U ? age : 0);
  }
  if ((cell.outside.load(std::memory_order_relaxed) & Cell::kEntry) != 0) {
    full.with_existing(cell, [&](const FullMailboxes::Entry& entry) { info.dropped = entry.dropped; });
  }
  return info;
}

std::vector<ActorInfo> Runtime::snapshot(std::size_t limit) {
  std::vector<ActorInfo> all;
  const auto by_id = names.by_id();
  cells_.each([&](Cell& cell) {
    if (is_live(cell)) all.push_back(info(cell, by_id));
    return all.size() < limit;
  });
  return all;
}

Runtime::Sums Runtime::sums() const {
  Sums sums{};
  const std::lock_guard lock(locals_mutex_);
  for (std::size_t i = 0; i < Counters::count; ++i) {
    sums[i] = outside_[i].load(std::memory_order_relaxed);
    for (const Local* each : locals_) sums[i] += each->counters.cells[i].load(std::memory_order_relaxed);
  }
  return sums;
}

std::uint64_t Runtime::lost() const { return sums()[Counters::lost]; }

Totals Runtime::totals() const {
  const Sums sums = this->sums();
  Totals totals;
  totals.actors = actors_.load(std::memory_order_relaxed) - (all_stopped() ? 0 : 1);
  totals.sent = sums[Counters::sent];
  totals.handled = sums[Counters::handled];
  totals.spawned = sums[Counters::spawned];
  totals.stopped = sums[Counters::stopped];
  totals.failures = sums[Counters::failures];
  totals.restarts = sums[Counters::restarted];
  totals.gave_up = sums[Counters::gave_up];
  const std::uint64_t gone = totals.handled + sums[Counters::lost] + sums[Counters::discarded];
  totals.depth = totals.sent > gone ? totals.sent - gone : 0;  // they were read apart
  std::copy_n(sums.begin() + Counters::dropped, kDropReasons, totals.dropped.begin());
  return totals;
}

bool Runtime::quiet(std::uint64_t& activity) {
  const Totals now_totals = totals();
  activity = now_totals.handled + now_totals.sent + now_totals.stopped + now_totals.spawned;
  bool quiet = true;
  cells_.each([&](const Cell& cell) {
    const std::uintptr_t inbox = cell.inbox.load(std::memory_order_acquire);
    if (inbox == Cell::kClosed) return true;
    const State state = cell.state.load(std::memory_order_relaxed);
    const bool waits = cell.depth() != 0 && state != State::failed && state != State::stopped;
    quiet = inbox == Cell::kIdle && !waits && !cell.handlers_wait.load(std::memory_order_relaxed);
    return quiet;
  });
  return quiet;
}

void Runtime::tell(Level level, Family family, std::string_view kind, const Address& actor,
                   std::initializer_list<std::pair<std::string_view, std::string>> fields) {
  if (!monitor_->wants(level)) return;
  MonitorEvent event;
  event.time = now();
  event.family = family;
  event.level = level;
  event.kind = kind;
  event.actor = actor.id();
  event.name = names.name_of(event.actor);
  for (const auto& [key, value] : fields) event.fields.push_back({key, value});
  monitor_->record(std::move(event));
}

void Runtime::stop_all(bool in_order) {
  if (!stopping()) tell(Level::info, Family::system, "stopping", root_);
  refuse_new();
  control(root_, [this, in_order](Cell* root) {
    if (!root) return;
    {
      const std::lock_guard lock(tree_lock(*root));
      root->side->in_order = in_order;
    }
    if (root->state.load(std::memory_order_relaxed) != State::stopping) return begin_stop(*root, Reason::shutdown, {});
    if (!root->is(Cell::kHolding)) stop_children(*root);
  });
}

ShutdownReport Runtime::report() {
  constexpr std::size_t kNamedMax = 1000;
  ShutdownReport report;
  if (all_stopped()) return report;
  const auto by_id = names.by_id();
  cells_.each([&](Cell& cell) {
    if (!is_live(cell)) return true;
    ActorInfo left = info(cell, by_id);
    if (left.address == root_ || left.supervisor) return true;
    report.undelivered += left.depth;
    if (left.state == State::stopping || left.busy) report.stuck.push_back(std::move(left));
    return report.stuck.size() < kNamedMax;
  });
  return report;
}

}  // namespace weft::actor
