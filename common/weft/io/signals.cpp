// Signals, on Asio's signal_set: the handler runs on the loop like any other callback.
#include <boost/asio/signal_set.hpp>

#include "weft/io/io.hpp"

namespace weft::io {

struct Signals::Impl : std::enable_shared_from_this<Impl> {
  Impl(IoLoop& loop, std::function<void(int)> on_signal) : set_(loop.context()), on_signal_(std::move(on_signal)) {}
  void wait() {
    set_.async_wait([self = shared_from_this()](const boost::system::error_code& failed, int number) {
      if (failed || !self->live_) return;
      self->on_signal_(number);
      if (self->live_) self->wait();
    });
  }
  boost::asio::signal_set set_;
  std::function<void(int)> on_signal_;
  bool live_ = true;
};

Signals::Signals(IoLoop& loop, std::vector<int> numbers, std::function<void(int)> on_signal)
    : impl_(std::make_shared<Impl>(loop, std::move(on_signal))) {
  for (const int number : numbers) impl_->set_.add(number);
  impl_->wait();
}

Signals::~Signals() {
  impl_->live_ = false;
  boost::system::error_code ignored;
  impl_->set_.cancel(ignored);  // clear() alone leaves the wait in the set, which the wait keeps alive
  impl_->set_.clear(ignored);
}

}  // namespace weft::io
