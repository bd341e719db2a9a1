#include "weft/calls/interceptor.hpp"

namespace weft::calls {

void Interceptors::add(Interceptor interceptor) {
  const std::size_t number = names_.size();
  names_.push_back(std::move(interceptor.name));
  before_calls_.add(number, std::move(interceptor.before_call));
  after_calls_.add(number, std::move(interceptor.after_call));
  before_handlers_.add(number, std::move(interceptor.before_handler));
  after_handlers_.add(number, std::move(interceptor.after_handler));
}

std::vector<std::string_view> Interceptors::names() const { return {names_.begin(), names_.end()}; }

}  // namespace weft::calls
