// greeter: a whole agent with a method, a subscription and a setting; docs/writing-an-agent.md explains it.
#include <weft/agent.hpp>

struct Settings {
  std::string greeting = "hello";
  WEFT_FIELDS(Settings, greeting)
};
struct Greeting {
  std::string text;
  std::int64_t greeted = 0;
  WEFT_FIELDS(Greeting, text, greeted)
};
struct Person {
  std::string name;
  WEFT_FIELDS(Person, name)
  WEFT_REQUIRED(Person, name)
};

class Greeter {
 public:
  Greeter(Settings settings, weft::Agent& agent) : settings_(std::move(settings)) {
    agent.serve(
        "greet", [this](Person person, weft::Call&) { return greet(std::move(person)); }, "Greets a person");
    agent.subscribe("people.arrived", [this](Person, const weft::Event&) { ++greeted_; });
  }

 private:
  weft::Task<weft::Result<Greeting>> greet(Person person) {
    if (person.name.empty()) co_return weft::Error(weft::codes::bad_value, "greeter: 'name' is empty");
    co_return Greeting{settings_.greeting + ", " + person.name, ++greeted_};
  }
  Settings settings_;
  std::int64_t greeted_ = 0;
};

constexpr auto kSchema = R"({"properties": {"greeting": {"type": "string"}}, "additionalProperties": false})";

int main(int argc, char** argv) {
  return weft::run_agent<Greeter, Settings>(argc, argv, {"greeter", "1.0.0", "Greets people", kSchema});
}
