#include "weft/calls/call.hpp"

#include <utility>

namespace weft::calls {

void CancelHook::attach(const Call& call, Callback work) {
  if (call.cancelled()) return work();
  work_ = std::move(work);
  previous_ = &call.hooks_;
  while (*previous_) previous_ = &(*previous_)->next_;
  *previous_ = this;
  next_ = nullptr;
}

void Call::cancel() noexcept {
  cancelled_.store(true, std::memory_order_relaxed);
  CancelHook* rest = std::exchange(hooks_, nullptr);
  if (rest) rest->previous_ = &rest;
  while (rest) {  // any of them may end the call, and with it the hooks that follow
    CancelHook& hook = *rest;
    hook.detach();
    Callback work = std::move(hook.work_);
    work();
  }
}

Result<Headers> Call::headers() const {
  if (extension_.headers.empty()) return Headers();
  auto value = from_msgpack(extension_.headers);
  auto read = value ? from_value<Headers>(*value) : Result<Headers>(value.error());
  if (!read) return Error(codes::bad_envelope, "the headers of a call cannot be read: " + read.error().message);
  return read;
}

}  // namespace weft::calls
