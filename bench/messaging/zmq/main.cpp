// The anchor: the same work on plain libzmq with its blocking API, as a careful C++ programmer writes it: DEALER and
// ROUTER for calls, PUB and SUB for publications, one message each.
#include <unistd.h>

#include <memory>

#include "bench/messaging/side.hpp"
#include "bench/messaging/zmq/socket.hpp"

namespace {

using namespace weft::bench::messaging;

// Any two pairs do; they are generated for these programs only.
struct KeyPair {
  std::string known, secret;
  KeyPair() : known(40, '\0'), secret(40, '\0') {
    if (zmq_curve_keypair(known.data(), secret.data()) != 0) throw std::runtime_error("libzmq knows no CURVE");
  }
};

std::string place(const Row& row, const char* name) {
  if (row.transport == "tcp") return "tcp://127.0.0.1:*";
  char folder[256];
  if (::getcwd(folder, sizeof folder) == nullptr) throw std::runtime_error("getcwd");
  return "ipc://" + std::string(folder) + "/" + name;
}

/// "first|second" -> both.
std::pair<std::string, std::string> two(const std::string& text) {
  const auto bar = text.find('|');
  return {text.substr(0, bar), bar == std::string::npos ? "" : text.substr(bar + 1)};
}

// ---- calls

void answer(const Row& row, const std::string&, const Ready& ready) {
  Context context;
  Socket router(context, ZMQ_ROUTER);
  std::string key;
  if (row.curve) {
    const KeyPair pair;
    router.set(ZMQ_CURVE_SERVER, 1);
    router.set(ZMQ_CURVE_SECRETKEY, pair.secret);
    key = pair.known;
  }
  ready(router.bind(place(row, "raw")) + "|" + key);
  zmq_msg_t part;
  for (;;) {
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, router.raw(), 0) < 0) return;
    const int more = zmq_msg_more(&part);
    if (zmq_msg_send(&part, router.raw(), more ? ZMQ_SNDMORE : 0) < 0) return;
  }
}

Figures call(const Job& job) {
  Context context;
  Socket dealer(context, ZMQ_DEALER);
  const auto [endpoint, key] = two(job.endpoint);
  if (job.row.curve) {
    const KeyPair own;
    dealer.set(ZMQ_CURVE_SERVERKEY, key);
    dealer.set(ZMQ_CURVE_PUBLICKEY, own.known);
    dealer.set(ZMQ_CURVE_SECRETKEY, own.secret);
  }
  dealer.connect(endpoint);
  const std::string request(job.row.payload, 'x');
  std::string reply(job.row.payload, '\0');
  return measure_calls(job, [&](std::uint64_t count, std::vector<double>* times) {
    if (times) {
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto start = Steady::now();
        dealer.send(request.data(), request.size());
        dealer.receive(reply.data(), reply.size());
        times->push_back(std::chrono::duration<double>(Steady::now() - start).count());
      }
      return;
    }
    std::uint64_t sent = 0;
    while (sent < std::min<std::uint64_t>(job.row.outstanding, count)) {
      dealer.send(request.data(), request.size());
      ++sent;
    }
    for (std::uint64_t answered = 0; answered < count; ++answered) {
      dealer.receive(reply.data(), reply.size());
      if (sent == count) continue;
      dealer.send(request.data(), request.size());
      ++sent;
    }
  });
}

// ---- publications

void publish(const Row& row, const std::string&, const Ready& ready) {
  Context context;
  Socket publisher(context, ZMQ_PUB), progress(context, ZMQ_PULL);
  progress.set(ZMQ_RCVTIMEO, 1);
  ready(publisher.bind(place(row, "pub")) + "|" + progress.bind(place(row, "pull")));
  Window allowed(row.subscribers);
  Publication publication;
  Progress told;
  for (std::uint64_t sequence = 0;;) {
    const bool go_on = allowed.all_there() && sequence < allowed.allowed();
    if (!go_on || sequence % 100 == 0) {
      while (progress.try_receive(&told, sizeof told, ZMQ_DONTWAIT)) allowed.heard(told);
      if (!go_on && progress.try_receive(&told, sizeof told, 0)) allowed.heard(told);
      if (allowed.all_there() && sequence >= allowed.allowed()) continue;
    }
    const auto bytes = publication.numbered(++sequence);
    publisher.send(bytes.data(), bytes.size());
  }
}

Figures subscribe(const Job& job) {
  Context context;
  const auto [endpoint, back] = two(job.endpoint);
  Socket progress(context, ZMQ_PUSH);
  progress.connect(back);
  std::vector<std::unique_ptr<Socket>> subscribers;
  std::vector<zmq_pollitem_t> items;
  for (std::size_t i = 0; i < job.row.subscribers; ++i) {
    subscribers.push_back(std::make_unique<Socket>(context, ZMQ_SUB));
    subscribers.back()->set(ZMQ_SUBSCRIBE, "");
    subscribers.back()->connect(endpoint);
    items.push_back({subscribers.back()->raw(), 0, ZMQ_POLLIN, 0});
  }
  Arrivals arrivals(job);
  char message[256];
  const auto take = [&](std::size_t i) {
    const std::uint64_t sequence = Publication::sequence_of(message);
    if (!arrivals.note(i, sequence)) return;
    const Progress now{i, sequence};
    progress.send(&now, sizeof now);
  };
  if (subscribers.size() == 1) {
    while (!arrivals.done()) {
      subscribers[0]->receive(message, sizeof message);
      take(0);
    }
    return arrivals.figures();
  }
  while (!arrivals.done()) {
    zmq_poll(items.data(), static_cast<int>(items.size()), -1);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if ((items[i].revents & ZMQ_POLLIN) == 0) continue;
      while (subscribers[i]->try_receive(message, sizeof message, ZMQ_DONTWAIT)) take(i);
    }
  }
  return arrivals.figures();
}

// ---- links

void accept(const Row& row, const std::string&, const Ready& ready) { answer(row, {}, ready); }

Figures connect(const Job& job) {
  Context context;
  const auto [endpoint, key] = two(job.endpoint);
  std::vector<std::unique_ptr<Socket>> links;
  const auto open = [&, to = endpoint] {
    links.push_back(std::make_unique<Socket>(context, ZMQ_DEALER));
    links.back()->connect(to);
    char reply[128] = {};
    links.back()->send(reply, sizeof reply);
    links.back()->receive(reply, sizeof reply);
  };
  for (int i = 0; i < 10; ++i) open();  // what a process needs once
  const Resident before(job);
  for (std::uint64_t i = 0; i < job.count; ++i) open();
  return before.growth();
}

}  // namespace

int main(int argc, char** argv) { return run_side(argc, argv, {answer, publish, accept, call, subscribe, connect}); }
