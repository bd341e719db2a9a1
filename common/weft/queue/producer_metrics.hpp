// What a producer counts. Private to queue.
#pragma once
#include <map>
#include <string>

#include "weft/observe/observe.hpp"

namespace weft::queue {

class ProducerMetrics {
 public:
  ProducerMetrics(observe::Metrics& metrics, const std::string& queue)
      : metrics_(metrics),
        queue_(queue),
        pushed(metrics.counter("weft_queue_pushed_total", "Items accepted", {{"queue", queue}})),
        finished(metrics.counter("weft_queue_finished_total", "Items done", {{"queue", queue}})),
        restored(
            metrics.counter("weft_queue_restored_total", "Items taken up from a former process", {{"queue", queue}})),
        dropped_letters(metrics.counter("weft_dlq_dropped_total", "Dead letters dropped because there were too many",
                                        {{"queue", queue}})),
        lost(metrics.counter("weft_queue_lost_total", "Items in memory only that were left when the process stopped",
                             {{"queue", queue}})) {}

  void redelivered(const std::string& reason) {
    count(redelivered_, redelivered_sum, "weft_queue_redelivered_total", "Items given again, by reason", reason);
  }
  void refused(const std::string& reason) {
    count(refused_, refused_sum, "weft_queue_refused_total", "Items refused at the push, by reason", reason);
  }
  void dead(const std::string& reason) {
    count(dead_, dead_sum, "weft_queue_dead_letters_total",
          "Items that became dead letters, by the code of the last failure", reason);
  }

 private:
  using Counters = std::map<std::string, observe::Counter*>;
  void count(Counters& counters, std::uint64_t& sum, const char* name, const char* help, const std::string& reason) {
    auto& counter = counters[reason];
    if (!counter) counter = &metrics_.counter(name, help, {{"queue", queue_}, {"reason", reason}});
    counter->add();
    ++sum;
  }

  observe::Metrics& metrics_;
  std::string queue_;
  Counters redelivered_, refused_, dead_;

 public:
  observe::Counter &pushed, &finished, &restored, &dropped_letters, &lost;
  std::uint64_t redelivered_sum = 0, refused_sum = 0, dead_sum = 0;
};

}  // namespace weft::queue
