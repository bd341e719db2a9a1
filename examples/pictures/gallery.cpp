// A producer: takes pictures and pushes them to whoever resizes.
#include "pictures.hpp"

struct AddRequest {
  std::vector<Picture> pictures;
  weft::queue::Priority priority = weft::queue::Priority::normal;
  WEFT_FIELDS(AddRequest, pictures, priority)
};
struct AddReply {
  std::vector<std::string> accepted;  ///< ids
  std::uint64_t refused = 0;
  WEFT_FIELDS(AddReply, accepted, refused)
};

class Gallery {
 public:
  explicit Gallery(weft::Agent& agent) : agent_(agent) {
    agent.serve("add", [this](AddRequest request, weft::Call&) { return add(std::move(request)); });
    agent.serve("preview", [this](Picture picture, weft::Call&) { return preview(std::move(picture)); });
  }

 private:
  weft::Task<weft::Result<AddReply>> add(AddRequest request) {
    AddReply reply;
    weft::PushOptions options(request.priority);
    for (auto& picture : request.pictures) {
      options.headers["album"] = "summer";
      auto id = co_await agent_.push("resizer.resize", picture, options);  // accepted, not done
      id ? reply.accepted.push_back(id->to_string()) : static_cast<void>(++reply.refused);
    }
    co_return reply;
  }

  weft::Task<weft::Result<Resized>> preview(Picture picture) {
    weft::PushOptions urgent(weft::queue::Priority::high);
    co_return co_await agent_.push_and_wait<Resized>("resizer.resize", picture, urgent);  // done
  }

  weft::Agent& agent_;
};

int main(int argc, char** argv) {
  weft::AgentInfo info;
  info.name = "gallery";
  info.version = "1.0.0";
  info.summary = "has pictures resized";
  return weft::run_agent(argc, argv, std::move(info),
                         [](weft::Agent& agent) -> std::shared_ptr<void> { return std::make_shared<Gallery>(agent); });
}
