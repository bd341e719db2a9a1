// Runtime: what System hides: turns, sending, starting and ending of actors. Private to actor.
#pragma once
#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include "weft/actor/runtime/cell.hpp"
#include "weft/actor/runtime/dead_letters.hpp"
#include "weft/actor/runtime/full_mailboxes.hpp"
#include "weft/actor/runtime/names.hpp"
#include "weft/actor/runtime/topics.hpp"

namespace weft::actor {

/// Runs in an actor's turn; with null when it ended first.
using Control = UniqueFunction<void(Cell*)>;

/// Counted by one thread each with plain writes, read by any.
struct Counters {
  enum Which : std::size_t {
    sent,
    handled,
    spawned,
    stopped,
    failures,
    restarted,
    gave_up,
    lost,       ///< accepted, and not handled because the actor stopped
    discarded,  ///< accepted, then removed from the mailbox without being handled
    dropped,
    count = dropped + kDropReasons
  };
  std::array<std::atomic<std::uint64_t>, count> cells{};
  std::uint64_t value(std::size_t which) const noexcept { return cells[which].load(std::memory_order_relaxed); }
  void add(std::size_t which) noexcept {
    cells[which].store(cells[which].load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

/// What a thread that runs actors has at hand.
struct Local {
  Runtime* runtime = nullptr;
  Cell* current = nullptr;  ///< the cell that runs; null again if it was freed in its turn
  Counters counters;
  std::array<Cell*, CellStore::kClasses> free_cells{};
  std::array<std::uint32_t, CellStore::kClasses> free_count{};
  std::uint32_t now_ms = 0;
  unsigned nested = 0;   ///< first turns within turns
  bool lingers = false;  ///< messages come to this thread from another, faster than it can fall asleep
  std::uint32_t turns = 0;
  void* worker = nullptr;  ///< the scheduler's own
};

class Runtime {
 public:
  static constexpr unsigned kTurnMessages = 100;  ///< then others have their turn
  static constexpr unsigned kNestedMax = 16;      ///< first turns in first turns; what is deeper is scheduled

  Runtime(std::unique_ptr<Scheduler> scheduler, SystemOptions options, Monitor* monitor, System& system);
  ~Runtime();

  /// Of this thread; null outside of schedulers.
  static Local*& local() noexcept { return t_local; }
  static std::uint32_t ms_of(TimePoint time) noexcept {
    return static_cast<std::uint32_t>(time.time_since_epoch().count() / 1'000'000);
  }
  Local* own_local() const noexcept {
    Local* here = local();
    return here && here->runtime == this ? here : nullptr;
  }
  static Address address_of(Cell& cell, std::uint32_t generation) noexcept { return {&cell, generation}; }
  static Runtime& of(const Cell& cell) noexcept { return *CellStore::chunk_of(cell).runtime; }

  // For schedulers.
  void attach(Local& local) noexcept;
  void detach(Local& local) noexcept;
  /// One turn of a ready cell: at most `messages` of its messages, and then more of them for at most `longer`.
  void run(Cell& cell, Local& local, unsigned messages, Duration longer = {});
  void due(Cell& cell, std::uint32_t generation) noexcept;
  /// For tests: the message that the next turn would handle, or null; runs what is no message.
  Envelope* peek(Cell& cell, Local& local);

  // Sending; all thread-safe.
  enum class Wait : std::uint8_t { no, may };
  /// Ownership of the envelope passes in any case; with Wait::may and a full mailbox that blocks, `blocked` is set and
  /// the envelope handed back.
  Result<void> submit(const Address& to, Envelope* envelope, Envelope** blocked = nullptr);
  /// The message of a blocked submit() waits outside until there is room; `done` is called once, on any thread.
  std::uint64_t wait_for_room(const Address& to, Envelope* envelope, UniqueFunction<void(bool accepted)> done);
  /// Destroys the message if it still waits; false when it does not.
  bool cancel_wait(const Address& to, std::uint64_t ticket) noexcept;
  void stamp(Envelope& envelope, const SendOptions& options, Cell* sender, Envelope* in_hand);
  void stamp_rare(Envelope& envelope, const SendOptions& options, const Envelope* in_hand);
  /// Runs `work(&cell)` in the actor's turn; `work(nullptr)`, anywhere, and false when it has ended.
  bool control(const Address& to, Control work);
  void answer(Address to, std::uint64_t correlation, bool external, Envelope* reply) noexcept;
  static void answer_from_anywhere(const Address& to, std::uint64_t correlation, bool external,
                                   Envelope* reply) noexcept;
  /// Ends a message that reaches no handler: counts, keeps or destroys it, and notifies the requester.
  void drop(Envelope* envelope, const Address& to, Drop reason, Error why, std::string_view name = {});
  Result<std::size_t> publish(std::string_view topic, const SendOptions& options, Cell* sender, Envelope* in_hand,
                              Envelope* (*copy)(const void*), const void* original);

  /// Bypasses the mailbox capacity; for the runtime's own messages.
  void force(const Address& to, Envelope* envelope);

  // Actors.
  Result<Address> spawn(Cell* parent, const ActorType& type, SpawnOptions options, void (*construct)(void*, void*),
                        void* data);
  /// A cell for a supervised child: takes messages, waits for its supervisor's start().
  Result<Address> reserve(ChildSpec spec, const Address& supervisor);
  bool link(Cell& parent, Cell& child);  ///< false: the parent is stopping
  // For supervisors, in their turns.
  const ChildOptions& adopt(Cell& cell, const Address& supervisor);
  void start_child(const Address& child, std::uint64_t incarnation, std::uint32_t restarts);
  void end_child(const Address& child, bool run_post_stop);  ///< asks it to stop; its supervisor is notified
  void close_child(const Address& child, State as);  ///< accepts nothing from now on; the cell stays until forget()
  void forget(Cell& cell) noexcept;
  void orphan(const Address& child);  ///< does not stop in time: it hangs at the root until it does
  void bring_home(const Address& child, const Address& supervisor);
  void abandon(const Address& child);  ///< its parent ends, or it never gets one
  void stop(const Address& actor);
  void stop_after(Cell& cell, Reason reason, std::string what);  ///< when its turn's message is done
  void resume_stop(const Address& actor);                        ///< the object that held the stop has ended
  void watch(const Address& target, const Address& watcher);
  void unwatch(const Address& target, const Address& watcher);

  // An actor's own, in its turns.
  Side& side(Cell& cell) {
    if (!cell.side) cell.side = new Side;
    return *cell.side;
  }
  std::uint64_t open_slot(Cell& cell, Waiter& waiter);
  void close_slot(Cell& cell, std::uint64_t correlation) noexcept;
  void set_timer(Cell& cell, TimerEntry& entry, TimePoint when);
  /// Notes that `from` waits for `to`; true when that would never end.
  bool would_cycle(Cell& from, const Address& to);
  Error cycle_error(Cell& from);
  /// Marks `from` as waiting for an unknown actor instead of `not_for`.
  static void waits_for_somebody(const Address& from, Cell& not_for) noexcept;
  void fail_after(Cell& cell, std::exception_ptr failure) noexcept;
  void started_after(Cell& cell) noexcept;

  // Reading.
  std::string name_of(const Address& actor) const;  ///< or "actor <id>"
  ActorInfo info(Cell& cell, const std::unordered_map<std::uint64_t, std::string>& by_id);
  std::vector<ActorInfo> snapshot(std::size_t limit);
  Totals totals() const;
  std::uint64_t lost() const;
  /// Nothing waits and nothing runs; twice with the same `activity` it is so.
  bool quiet(std::uint64_t& activity);
  void refresh(Local& local) const noexcept;  ///< its coarse clock
  void count(std::size_t which) noexcept;
  void tell(Level level, Family family, std::string_view kind, const Address& actor,
            std::initializer_list<std::pair<std::string_view, std::string>> fields = {});

  // Shutdown.
  void refuse_new() noexcept { stopping_.store(true, std::memory_order_relaxed); }
  bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  /// Stops the actors without a supervisor in reverse order of their start, or all at once.
  void stop_all(bool in_order);
  bool all_stopped() const noexcept { return root_gone_.load(std::memory_order_acquire); }
  ShutdownReport report();

  Scheduler& scheduler() noexcept { return *scheduler_; }
  const Clock& clock() const noexcept { return scheduler_->clock(); }
  TimePoint now() const noexcept { return clock().now(); }
  std::uint32_t coarse_ms() const noexcept;
  const SystemOptions& options() const noexcept { return options_; }
  Address root() const noexcept { return root_; }

  System& system;
  Names names;
  DeadLetters dead_letters;
  FullMailboxes full;
  Topics topics;
  mutable std::mutex root_failure_mutex;
  std::optional<std::string> root_failure;  ///< of the root

 private:
  static inline thread_local constinit Local* t_local __attribute__((tls_model("initial-exec"))) = nullptr;

  using Sums = std::array<std::uint64_t, Counters::count>;
  Sums sums() const;
  Cell* make_cell(const ActorType& type);
  void free_cell(Cell& cell) noexcept;
  Result<void> admit_actor() noexcept;
  void open(Cell& cell, const MailboxOptions& mailbox, std::optional<unsigned> worker);
  Result<void> register_name(Cell& cell, const std::string& name);

  bool admit(Cell& cell) noexcept;
  Result<void> overflow(Cell& cell, const Address& to, Envelope* envelope, Envelope** blocked);
  bool push(Cell& cell, Envelope* envelope) noexcept;
  void take_mail(Cell& cell, const Local& local);
  void dispose(Envelope* envelope);
  static Waiter* waiter_of(const Cell& cell, std::uint64_t correlation) noexcept;
  void take_control(Cell& cell, Envelope* envelope);
  void keep(Cell& cell, Envelope* envelope);
  bool message_waits(const Cell& cell);
  void keep_first(Cell& cell, Envelope* envelope);
  Envelope* next_message(Cell& cell);
  Envelope* next_special(Cell& cell);
  static bool can_handle(const Cell& cell) noexcept;
  bool goes_on(Duration longer, TimePoint& end) const noexcept;
  bool linger(const Cell& cell, const Local& local) const noexcept;
  void handle(Cell& cell, Envelope* envelope);
  void handle_rare(Cell& cell, Envelope* envelope, const Address& to);
  void dispatch(Cell& cell, Envelope* envelope, const Address& to);
  void let_in_waiting(Cell& cell);
  template <class F>
  bool with_entry(const Address& to, std::uint8_t flags, F&& use);
  Error reason_error(Drop reason, const Address& to, const Envelope& envelope) const;
  Result<void> submit_dropping(Cell& cell, const Address& to, Envelope* envelope);
  void after_message(Cell& cell);
  void fail_or_stop(Cell& cell);
  void run_timers(Cell& cell);
  void arm(Cell& cell);

  void first_turn(Cell& cell, Local& local);
  void start_now(Cell& cell);
  void start_built(Cell& cell);
  void stop_for_parent(Cell& cell);
  void tell_supervisor_started(Cell& cell) noexcept;
  void tell_supervisor_ended(Cell& cell);
  void ask_supervisor_to_remove(Cell& cell);
  void tell_down(const Address& watcher, const Down& down);
  void failed(Cell& cell, std::exception_ptr failure);
  void begin_stop(Cell& cell, Reason reason, std::string what);
  void stop_children(Cell& cell);
  void finish_stop(Cell& cell);
  void end(Cell& cell, State as);
  void unlink(Cell& cell) noexcept;
  void move(const Address& child, Cell& to);
  static void put_in(Cell& parent, Cell& child) noexcept;  ///< under the parent's lock
  static bool take_out(Cell& parent,
                       Cell& child) noexcept;  ///< likewise; true: the parent waits for this
  void forget_closed(const Address& child);
  void release(Cell& cell) noexcept;
  void drop_queue(Cell& cell, Envelope* taken);
  static bool has_ended(const Address& actor) noexcept;
  static bool is_live(const Cell& cell) noexcept;

  static constexpr std::size_t kStripes = 64;
  std::mutex& tree_lock(const Cell& parent) noexcept {
    return tree_locks_[(reinterpret_cast<std::uintptr_t>(&parent) >> 4) % kStripes];
  }

  SystemOptions options_;
  Monitor* monitor_;
  NoMonitor no_monitor_;
  CellStore cells_;
  std::array<std::mutex, kStripes> tree_locks_;
  mutable std::mutex locals_mutex_;
  std::vector<Local*> locals_;
  std::array<std::atomic<std::uint64_t>, Counters::count> outside_{};
  std::atomic<std::uint64_t> actors_{0};
  std::atomic<bool> stopping_{false}, root_gone_{false};
  Address root_;
  std::unique_ptr<Scheduler> scheduler_;  // last made, first stopped
};

}  // namespace weft::actor
