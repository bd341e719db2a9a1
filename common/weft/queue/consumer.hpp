// Consumer: one queue that this process works on: holds the offers of producers until there is room, and hands items to
// the handler. Private to queue.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "weft/base/lifetime.hpp"
#include "weft/queue/queue.hpp"
#include "weft/queue/slots.hpp"

namespace weft::queue {

class Consumer {
 public:
  /// Borrows all but what it moves.
  Consumer(Loop& loop, mesh::Mesh& mesh, const Options& options, std::string method, Handler handler,
           ServeOptions serve, observe::Metrics& metrics, observe::Log& log);
  ~Consumer();

  Task<Result<wire::Payload>> offer(Offer offer, const calls::Call& call);
  Task<Result<wire::Payload>> work(const calls::Call& call);
  /// Answers every offer with `draining`, now and from now on. What was granted is still done.
  void stop();
  std::size_t running() const noexcept { return slots_.running(); }
  ServedInfo info() const;

 private:
  using Answer = Result<std::uint64_t>;
  struct Held {
    std::uint64_t token;
    const calls::Call* call;
    TimePoint until;
    Completion<Answer>::Completer completer;
    bool alive() const noexcept { return completer.wanted() && !call->cancelled(); }
  };
  struct Holding;  // takes an offer back when its coroutine goes
  struct Running;  // frees a slot when its coroutine goes

  /// Gives what is free to those who offer; what falls to `answering` is returned, for the answer it is about to get.
  std::uint64_t share(const std::string& answering = {});
  bool share_once(const std::string& answering, std::uint64_t& own);
  void answer(const std::string& producer, Answer answer);
  void sweep();
  void start_late();
  std::uint64_t want_of(const Work& work);
  Task<Result<wire::Payload>> handle(const Work& work, const wire::Payload& payload, const calls::Call& call);
  Error failed(const Work& work, const ThrownFacts& thrown);

  Loop& loop_;
  mesh::Mesh& mesh_;
  const Options& options_;
  std::string method_;
  Handler handler_;
  observe::Log& log_;
  Slots slots_;
  std::map<std::string, Held> held_;              // by producer
  std::deque<Completion<bool>::Completer> late_;  // items that came when their slot had been given away
  std::uint64_t last_token_ = 0, finished_ = 0, failed_ = 0;
  bool stopped_ = false;
  Timer sweep_;
  observe::Counter &done_total_, &failed_total_;
  Lifetime lifetime_;
};

}  // namespace weft::queue
