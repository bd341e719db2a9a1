// Pool: threads that start when there is work for them. The destructor waits for work that runs and drops what waits.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "weft/base/alternate_stack.hpp"
#include "weft/io/io.hpp"

namespace weft::io {

struct Pool::Impl {
  explicit Impl(unsigned threads_max) : threads_max_(std::max(1U, threads_max)) {}

  void serve() {
    const AlternateStack for_signals;
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      --idle_;
      if (stopping_) return;
      Callback work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
  }

  const unsigned threads_max_;
  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::deque<Callback> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

Pool::Pool(Loop& loop, unsigned threads) : loop_(loop), impl_(std::make_unique<Impl>(threads)) {}

Pool::~Pool() {
  std::deque<Callback> dropped;
  {
    const std::lock_guard lock(impl_->mutex_);
    impl_->stopping_ = true;
    dropped.swap(impl_->waiting_);
  }
  impl_->wake_.notify_all();
  for (auto& thread : impl_->threads_) thread.join();
}

void Pool::submit(Callback work) {
  {
    const std::lock_guard lock(impl_->mutex_);
    if (impl_->stopping_) return;
    impl_->waiting_.push_back(std::move(work));
    if (impl_->idle_ < impl_->waiting_.size() && impl_->threads_.size() < impl_->threads_max_)
      impl_->threads_.emplace_back([impl = impl_.get()] { impl->serve(); });
  }
  impl_->wake_.notify_one();
}

}  // namespace weft::io
