// run_task: a coroutine as a plain call, on a real loop.
#pragma once
#include "weft/base/base.hpp"
#include "weft/io/io.hpp"

namespace weft::test {

template <class T>
T run_task(io::IoLoop& loop, Task<T> task) {
  std::optional<T> out;
  std::exception_ptr failure;
  TaskScope scope;
  auto keep = [](std::optional<T>& into, Task<T> from) -> Task<void> { into.emplace(co_await from); };
  scope.spawn(keep(out, std::move(task)), [&](std::exception_ptr thrown) {
    failure = thrown;
    loop.stop();
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*out);
}

}  // namespace weft::test
