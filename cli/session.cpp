#include "cli/session.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "weft/config/config.hpp"
#include "weft/io/io.hpp"
#include "weft/net/net.hpp"
#include "weft/observe/trace.hpp"

namespace weft::cli {

namespace {

std::string own_host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  const std::string host(name, std::string_view(name).find('.') == std::string_view::npos
                                   ? std::string_view(name).size()
                                   : std::string_view(name).find('.'));
  return check_name("host name", host) ? host : "localhost";
}

/// The address of this machine from which `endpoint` is reached: what a publisher has to bind so that others find it.
std::string address_towards(const std::string& endpoint) {
  constexpr const char* kLoopback = "127.0.0.1";
  const auto colon = endpoint.rfind(':');
  if (!endpoint.starts_with("tcp://") || colon <= 6) return kLoopback;
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  const auto host = endpoint.substr(6, colon - 6), port = endpoint.substr(colon + 1);
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return kLoopback;
  char text[INET_ADDRSTRLEN] = "";
  const int probe = ::socket(AF_INET, SOCK_DGRAM, 0);  // connecting sends nothing, it only chooses the route
  sockaddr_in own{};
  socklen_t size = sizeof own;
  if (probe >= 0 && ::connect(probe, found->ai_addr, found->ai_addrlen) == 0 &&
      ::getsockname(probe, reinterpret_cast<sockaddr*>(&own), &size) == 0) {
    ::inet_ntop(AF_INET, &own.sin_addr, text, sizeof text);
  }
  if (probe >= 0) ::close(probe);
  ::freeaddrinfo(found);
  return *text == '\0' ? kLoopback : text;
}

observe::LogOptions log_options(const Global& global) {
  observe::LogOptions options;
  options.level = global.verbose ? observe::Level::debug : observe::Level::fatal;  // failures are told by fail()
  options.agent = "cli";
  return options;
}

/// What the layers say to the agent `cli` of this host: its keys. Where they cannot be read there are none.
config::Config own_config(const Global& global, const Context& context) {
  config::LoadOptions options;
  const char* directory = std::getenv("WEFT_CONFIG_DIR");
  options.directory = config::find_directory(directory ? directory : "");
  if (const char* environment = std::getenv("WEFT_ENV")) options.environment = environment;
  options.host = context.host.empty() ? own_host_name() : context.host;
  options.agent = "cli";
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view variable = *entry;
    if (!variable.starts_with("WEFT__SECURITY__")) continue;
    const auto equals = variable.find('=');
    options.variables.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  auto loaded = config::load(options);
  if (loaded.ok()) return std::move(loaded).config();
  if (global.verbose) note(global, "the configuration has mistakes, so no keys are used: weft config check tells them");
  return config::load({}).config();
}

observe::Tracer make_tracer() {
  Random random = Random::from_os();
  return observe::Tracer(random);
}

mesh::MeshOptions mesh_options(const Context& context, Session::Role role, observe::Tracer& tracer) {
  Random random = Random::from_os();
  mesh::MeshOptions options;
  if (role == Session::Role::tracer) options.peer.tracer = &tracer;
  options.peer.instance = Ulid::make(SystemClock().wall(), random);
  options.peer.mesh = context.mesh;
  options.peer.host = context.host.empty() ? own_host_name() : context.host;
  options.peer.agent = "cli-pub";
  options.peer.version = WEFT_VERSION;
  options.peer.slot = "cli-pub-" + options.peer.instance.to_string() + "@" + options.peer.host;
  options.peer.address = role == Session::Role::publisher ? address_towards(context.registry) : "127.0.0.1";
  options.registries = {context.registry};
  options.join = role == Session::Role::publisher;
  options.report_errors = false;
  return options;
}

/// A publisher registers, and a registry takes only members of its own mesh: what is that called?
int learn_mesh(const Global& global, Context& context) {
  Session session(global, context, Session::Role::onlooker);
  return session.run([&](Session& open) -> Task<int> {
    for (const auto* record : open.mesh().directory().all()) context.mesh = record->mesh;
    co_return kDone;
  });
}

}  // namespace

Result<Context> find_mesh(const Global& global) {
  if (!global.registry.empty()) {
    auto endpoint = registry_endpoint(global.registry);
    if (!endpoint) return endpoint.error();
    Context context;
    context.registry = std::move(*endpoint);
    return context;
  }
  std::vector<std::string> notices;
  const auto contexts = read_contexts(contexts_directory(), notices);
  if (global.verbose) {
    for (const auto& notice : notices) note(global, notice);
  }
  auto context = choose_context(contexts, global.context, process_lives);
  if (context && global.verbose) note(global, "context " + context->name() + ", registry " + context->registry);
  return context;
}

struct Session::Impl {
  Impl(const Global& global, Context context, Role role)
      : global_(global),
        context_(std::move(context)),
        role_(role),
        log_(log_options(global_)),
        tracer_(make_tracer()),
        mesh_(loop_, peer::secured(sockets_, loop_, own_config(global_, context_)),
              mesh_options(context_, role_, tracer_), metrics_, log_, health_) {}

  Task<void> main(Session& session, std::function<Task<int>(Session&)> work, WithoutRegistry without_registry);
  void on_signal(Session& session, int number);
  void leave();

  const Global& global_;
  Context context_;
  const Role role_;
  io::IoLoop loop_;
  net::Context sockets_;
  observe::Metrics metrics_;
  observe::Health health_;
  observe::Log log_;
  observe::Tracer tracer_;
  mesh::Mesh mesh_;
  int exit_code_ = kDone;
  int interrupted_ = kInterrupted;
  Callback interrupt_;
  bool finished_ = false, signalled_ = false;
  TaskScope tasks_;
};

Session::Session(const Global& global, Context context, Role role)
    : global_(global), impl_(std::make_unique<Impl>(global, std::move(context), role)) {}
Session::~Session() = default;

void Session::interruptible() noexcept { impl_->interrupted_ = kDone; }
void Session::on_interrupt(Callback work) { impl_->interrupt_ = std::move(work); }
const Context& Session::context() const noexcept { return impl_->context_; }
mesh::Mesh& Session::mesh() noexcept { return impl_->mesh_; }
Loop& Session::loop() noexcept { return impl_->loop_; }
observe::Tracer& Session::tracer() noexcept { return impl_->tracer_; }

void Session::finish(int exit_code) {
  if (std::exchange(impl_->finished_, true)) return;
  impl_->exit_code_ = exit_code;
  impl_->loop_.stop();
}

Task<void> Session::Impl::main(Session& session, std::function<Task<int>(Session&)> work,
                               WithoutRegistry without_registry) {
  auto ready = co_await mesh_.ready(global_.timeout);
  if (!ready && without_registry) {
    if (const int outcome = co_await without_registry(session); outcome != kNothing) {
      session.finish(outcome);
      co_return;
    }
  }
  if (!ready) {
    Error error = ready.error();
    if (error.is(codes::no_registry) || error.hint.empty())
      error.hint = "is a mesh running? 'weft up' starts one; --registry and --context say where it is looked for";
    session.finish(fail(global_, error));
    co_return;
  }
  const int outcome = co_await work(session);
  if (outcome != kKeepRunning) session.finish(outcome);
}

void Session::Impl::on_signal(Session& session, int number) {
  if (std::exchange(signalled_, true)) std::_Exit(128 + number);
  if (auto first = std::exchange(interrupt_, nullptr)) return first();
  session.finish(interrupted_ == kDone ? kDone : 128 + number);
}

/// A publisher is in a record: it leaves the mesh.
void Session::Impl::leave() {
  const auto drain = [this]() -> Task<void> {
    co_await mesh_.drain(500ms);
    loop_.stop();
  };
  tasks_.spawn(drain());
  loop_.run();
}

int Session::run(std::function<Task<int>(Session&)> work, WithoutRegistry without_registry) {
  Impl& own = *impl_;
  io::Signals signals(own.loop_, {SIGINT, SIGTERM}, [&](int number) { own.on_signal(*this, number); });
  if (auto started = own.mesh_.start(); !started) return fail(global_, started.error());
  own.tasks_.spawn(own.main(*this, std::move(work), std::move(without_registry)));
  if (!own.finished_) own.loop_.run();
  own.tasks_.cancel_all();  // calls that still wait tell their callees
  own.mesh_.peer().flush();
  if (own.role_ == Role::publisher) own.leave();
  return own.exit_code_;
}

int run_in_mesh(const Global& global, std::function<Task<int>(Session&)> work, Session::Role role,
                Session::WithoutRegistry without_registry) {
  auto context = find_mesh(global);
  if (!context) return fail(global, context.error());
  if (role == Session::Role::publisher && context->mesh.empty()) {
    if (const int outcome = learn_mesh(global, *context); outcome != kDone) return outcome;
  }
  Session session(global, std::move(*context), role);
  return session.run(std::move(work), std::move(without_registry));
}

}  // namespace weft::cli
