// Signals, on Asio's signal_set: the handler runs on the loop like any other callback.
#include <boost/asio/signal_set.hpp>

#include "weft/io/io.hpp"

namespace weft::io {

struct Signals::Impl : std::enable_shared_from_this<Impl> {
  Impl(IoLoop& loop, std::function<void(int)> callback) : set(loop.context()), on_signal(std::move(callback)) {}
  void wait() {
    set.async_wait([self = shared_from_this()](const boost::system::error_code& failed, int number) {
      if (failed || !self->live) return;
      self->on_signal(number);
      if (self->live) self->wait();
    });
  }
  boost::asio::signal_set set;
  std::function<void(int)> on_signal;
  bool live = true;
};

Signals::Signals(IoLoop& loop, std::vector<int> numbers, std::function<void(int)> on_signal)
    : impl_(std::make_shared<Impl>(loop, std::move(on_signal))) {
  for (const int number : numbers) impl_->set.add(number);
  impl_->wait();
}

Signals::~Signals() {
  impl_->live = false;
  boost::system::error_code ignored;
  impl_->set.cancel(ignored);  // clear() alone leaves the wait in the set, which the wait keeps alive
  impl_->set.clear(ignored);
}

}  // namespace weft::io
