// Pool: threads that start when there is work for them. The destructor waits for work that runs and drops what waits.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "weft/base/alternate_stack.hpp"
#include "weft/io/io.hpp"

namespace weft::io {

struct Pool::Impl {
  explicit Impl(unsigned max) : threads_max(std::max(1U, max)) {}

  void serve() {
    const AlternateStack for_signals;
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      wake.wait(lock, [this] { return stopping || !waiting.empty(); });
      --idle;
      if (stopping) return;
      Callback work = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
  }

  const unsigned threads_max;
  std::mutex mutex;  // guards all below
  std::condition_variable wake;
  std::deque<Callback> waiting;
  std::vector<std::thread> threads;
  std::size_t idle = 0;
  bool stopping = false;
};

Pool::Pool(Loop& loop, unsigned threads) : loop_(loop), impl_(std::make_unique<Impl>(threads)) {}

Pool::~Pool() {
  std::deque<Callback> dropped;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    dropped.swap(impl_->waiting);
  }
  impl_->wake.notify_all();
  for (auto& thread : impl_->threads) thread.join();
}

void Pool::submit(Callback work) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return;
    impl_->waiting.push_back(std::move(work));
    if (impl_->idle < impl_->waiting.size() && impl_->threads.size() < impl_->threads_max)
      impl_->threads.emplace_back([impl = impl_.get()] { impl->serve(); });
  }
  impl_->wake.notify_one();
}

}  // namespace weft::io
