// Two actors for timeout.cpp and its test: one that asks and does not wait for ever, one that takes its time.
#pragma once
#include <string>
#include <utility>
#include <weft/actor.hpp>

struct Weather {
  std::string city;
  weft::Duration patience{};
};
struct Look {
  std::string city;
};

class Station {
 public:
  using Messages = weft::actor::Handles<Look>;
  static constexpr bool interleaves = true;  // others are answered while one waits

  weft::Task<std::string> on(Look look, weft::actor::Context& context) {
    if (look.city == "Ulm") co_await context.sleep(std::chrono::hours(1));
    co_return "sunny in " + look.city;
  }
};

class Reporter {
 public:
  using Messages = weft::actor::Handles<Weather>;
  explicit Reporter(weft::actor::Ref<Station> station) : station_(station) {}

  weft::Task<weft::Result<std::string>> on(Weather asked, weft::actor::Context& context) {
    auto asking = context.request(station_, Look{asked.city}, asked.patience);  // is on its way
    auto seen = co_await asking;
    if (!seen && seen.error().is(weft::codes::no_reply)) co_return "nobody told about " + asked.city;
    co_return seen;  // what the station saw, or why it could not be asked
  }

 private:
  weft::actor::Ref<Station> station_;
};
