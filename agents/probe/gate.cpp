// Who waits is let in when a permit comes back.
#include "agents/probe/gate.hpp"

namespace weft::probe {

void Permit::give_back() noexcept {
  // Refused only by a gate that has gone, and then there is nothing to give back.
  if (actor::System* system = std::exchange(system_, nullptr)) (void)system->send(gate_, Gate::Release());
}

void Gate::on(Acquire, actor::Context& context) {
  waiting_.push_back(context.reply_later<Permit>());
  let_in(context);
}

void Gate::on(Release, actor::Context& context) {
  if (given_ > 0) --given_;  // a gate that was restarted does not know the permits of the one before
  let_in(context);
}

void Gate::let_in(actor::Context& context) {
  for (; given_ < permits_ && !waiting_.empty(); waiting_.pop_front()) {
    ++given_;
    waiting_.front()(Permit(context.system(), context.self()));  // comes back by itself if nobody waits any more
  }
}

}  // namespace weft::probe
