// Cell: what every actor costs: its mailbox, its state and its place in the tree, in 96 bytes before its own object.
// A cell's memory is used again for other cells only, so an old address can look at it safely. Private to actor.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/actor/behaviour.hpp"
#include "weft/actor/system.hpp"

namespace weft::actor {

struct Side;

struct Cell {
  // Words of `inbox` that are no envelope.
  static constexpr std::uintptr_t kEmpty = 0;   ///< scheduled or running, inbox empty
  static constexpr std::uintptr_t kIdle = 1;    ///< idle: the next sender must schedule it
  static constexpr std::uintptr_t kClosed = 2;  ///< no actor: nothing gets in
  enum Flag : std::uint8_t {
    kLanes = 1,      ///< messages of another priority than normal wait in its Side
    kSuspended = 2,  ///< a handler waits, and this actor does not interleave
    kSupervised = 4,
    kFailing = 8,      ///< Side::failure is set: the turn must deal with it
    kStopWanted = 16,  ///< stop after the message in hand
    kHolding = 32,     ///< stopping, but its object handles messages until it reports that it is done
    kBuilt = 64,       ///< the object exists
  };
  /// Bits of `farewell`; whichever side sets the second bit frees the cell.
  static constexpr std::uint8_t kGone = 1, kForgotten = 2;
  static constexpr std::uint8_t kEntry = 1, kSendersWait = 2;

  // What senders write and read.
  std::atomic<std::uintptr_t> inbox{kClosed};  ///< newest first
  std::atomic<std::uint32_t> accepted{0};      ///< messages let in, modulo 2^32
  std::atomic<std::uint32_t> handled_seen{0};  ///< `handled` when a sender last had to look
  std::atomic<std::uint32_t> generation{0};
  std::atomic<std::uint32_t> capacity{0};  ///< 0: unbounded
  std::atomic<Overflow> overflow{Overflow::by_priority};
  std::atomic<std::uint8_t> pin{0};      ///< worker + 1; 0: any
  std::atomic<std::uint8_t> outside{0};  ///< bits above: what FullMailboxes has of it
  std::atomic<std::uint8_t> farewell{0};
  std::atomic<std::uint8_t> restarts{0};   ///< 255: or more; the exact number is in its Side
  std::atomic<bool> handlers_wait{false};  ///< a coroutine handler is under way
  std::atomic<State> state{State::stopped};
  std::uint8_t flags = 0;  ///< of its turns
  // Its place in the tree; links are guarded by the parent's stripe of tree locks.
  std::atomic<Cell*> parent{nullptr};
  Cell* older = nullptr;  ///< sibling; in a free list the next
  Cell* younger = nullptr;
  std::atomic<Cell*> waits_for{nullptr};  ///< the actor that its only running handler waits for
  // What its turns write: as far as can be from what senders write, which is another cache line.
  const ActorType* type = nullptr;
  Side* side = nullptr;
  Envelope* last = nullptr;  ///< of the normal messages taken from the inbox: a ring, last->next is the first
  std::atomic<std::uint32_t> handled{0};  ///< accepted messages that left the mailbox; written in its turns
  std::atomic<std::uint32_t> oldest_ms{0};

  bool is(Flag flag) const noexcept { return (flags & flag) != 0; }
  void set(Flag flag) noexcept { flags = static_cast<std::uint8_t>(flags | flag); }
  void clear(Flag flag) noexcept { flags = static_cast<std::uint8_t>(flags & ~flag); }
  std::uint32_t depth() const noexcept {
    return accepted.load(std::memory_order_relaxed) - handled.load(std::memory_order_relaxed);
  }
  bool has_room() const noexcept {
    const std::uint32_t most = capacity.load(std::memory_order_relaxed);
    return most == 0 || depth() < most;
  }
  Address address() noexcept { return {this, generation.load(std::memory_order_relaxed)}; }
  /// Where the object is, or would be.
  void* object() noexcept {
    void* after = this + 1;
    return in_place(*type) ? after : *static_cast<void**>(after);
  }
  static constexpr std::size_t kInPlaceMax = 384;
  static bool in_place(const ActorType& type) noexcept {
    return type.size <= kInPlaceMax && type.align <= alignof(void*);
  }
  static Cell* of(const Address& address) noexcept { return address.cell_; }
  static std::uint32_t generation_of(const Address& address) noexcept { return address.generation_; }
};
static_assert(sizeof(Cell) == 96);

/// What few actors need. Created on first use, in the actor's own turns, and used only there.
struct Side {
  struct Slot {
    std::uint32_t generation = 1;
    Waiter* waiter = nullptr;
  };
  struct Lane {
    Envelope* last = nullptr;  // a ring
  };
  struct Scheduled;

  std::string name;
  std::array<Lane, 4> lanes{};  ///< by Priority; normal stays in the cell
  std::uint32_t picks = 0;      ///< from lanes
  std::vector<Slot> slots;
  std::vector<std::uint32_t> free_slots;
  TimerHeap timers;
  TimePoint armed = TimePoint::max();  ///< when the scheduler will call due()
  std::unordered_map<TimerId, std::unique_ptr<Scheduled>> scheduled;
  TimerId last_timer = 0;
  detail::ActivationLink* activations = nullptr;
  std::size_t activation_count = 0;
  std::exception_ptr failure;
  Reason end_reason = Reason::normal;
  std::string end_what;
  std::vector<Address> watchers;
  std::vector<std::string> topics;
  Cell* youngest_child = nullptr;   ///< guarded by its stripe of tree locks
  bool waits_for_children = false;  ///< guarded by its stripe of tree locks
  bool no_children = false;         ///< guarded by its stripe of tree locks: it is stopping
  bool in_order = false;            ///< guarded by its stripe of tree locks: its children stop one after the other
  std::unique_ptr<ChildSpec> spec;  ///< of a supervised one
  Address supervisor;
  std::uint32_t restarts = 0;          ///< as reported by the supervisor
  std::uint64_t incarnation = 0;       ///< as it counts them
  std::uint64_t next_incarnation = 0;  ///< to be started as soon as this one has ended; 0: no restart is pending
  bool close_wanted = false;           ///< to be closed then
  bool skip_post_stop = false;
};
struct Side::Scheduled final : TimerEntry {
  Scheduled(Cell& of, TimerId number, Duration every, UniqueFunction<Envelope*()> maker)
      : cell(of), id(number), period(every), make(std::move(maker)) {}
  void due() override;
  Cell& cell;
  TimerId id;
  Duration period;
  UniqueFunction<Envelope*()> make;
};

/// Cells by size, in chunks that are never given back while the system lives. Thread-safe.
class CellStore {
 public:
  static constexpr std::size_t kChunk = 256 * 1024;
  static constexpr std::size_t kStep = 8;
  static constexpr std::size_t kClasses = Cell::kInPlaceMax / kStep + 1;
  struct Chunk {
    Runtime* runtime;
    Chunk* next;
    std::uint64_t first_number;
    std::uint32_t stride, count;
  };

  explicit CellStore(Runtime& runtime) noexcept : runtime_(runtime) {}
  ~CellStore();
  static std::size_t size_class(const ActorType& type) noexcept;
  static Chunk& chunk_of(const Cell& cell) noexcept {
    return *reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(&cell) & ~(kChunk - 1));
  }
  static std::uint64_t number_of(const Cell& cell) noexcept;
  /// A list, by `older`, of `count` closed cells.
  Cell* take(std::size_t size_class, std::size_t count);
  void give(std::size_t size_class, Cell* first) noexcept;  ///< a list
  template <class F>
  void each(F&& visit) const {
    for (Chunk* chunk = newest_.load(std::memory_order_acquire); chunk; chunk = chunk->next) {
      auto* at = reinterpret_cast<std::byte*>(chunk) + kHead;
      const std::uint32_t count = std::atomic_ref(chunk->count).load(std::memory_order_acquire);
      for (std::uint32_t i = 0; i < count; ++i, at += chunk->stride) {
        if (!visit(*reinterpret_cast<Cell*>(at))) return;
      }
    }
  }

 private:
  static constexpr std::size_t kHead = 64;
  void add_chunk(std::size_t size_class);

  Runtime& runtime_;
  std::mutex mutex_;
  std::array<Cell*, kClasses> free_{};
  std::array<std::pair<std::byte*, std::byte*>, kClasses> fresh_{};
  std::atomic<Chunk*> newest_{nullptr};
  std::uint64_t cells_ = 0;
};

}  // namespace weft::actor
