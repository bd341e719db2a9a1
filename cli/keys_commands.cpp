// weft keys new|public: pairs of CURVE keys. The secret one goes into a file of the user's own, and nowhere else.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/cli.hpp"
#include "weft/base/files.hpp"
#include "weft/net/net.hpp"

namespace weft::cli {
namespace {

constexpr std::size_t kKeyFileBytesMax = 4096;

constexpr mode_t kOwnerOnly = 0600;

/// Never over a file that is there: it may hold a key in use.
Result<void> write_secret(const std::string& file, const std::string& secret) {
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (out < 0 && errno == EEXIST)
    return Error(codes::bad_usage, file + " exists", "name another file, or remove that one when nobody uses its key");
  const std::string line = secret + "\n";
  const bool written = out >= 0 && ::fchmod(out, kOwnerOnly) == 0 &&
                       ::write(out, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(out) == 0;
  const int number = errno;
  if (out >= 0) ::close(out);
  if (!written) return Error(codes::io_failed, "cannot write " + file + ": " + std::strerror(number));
  return {};
}

int show_public(const Global& global, const std::string& name, const std::string& file, const std::string& key) {
  if (global.json) {
    Value document;
    if (!name.empty()) document.set("name", name);
    document.set("public_key", key);
    document.set("secret_key", "file:" + file);
    print_json(document);
  } else {
    print_line(key);
  }
  return kDone;
}

int new_pair(const Global& global, const std::string& name, std::string file) {
  if (auto fine = check_name("key name", name); !fine) return fail(global, fine.error());
  if (file.empty()) file = name + ".key";
  const net::KeyPair pair = net::KeyPair::generate();
  if (auto done = write_secret(file, pair.secret_key); !done) return fail(global, done.error());
  note(global, "security: {secret_key: 'file:" + file + "'}   # for the process itself, by an absolute path");
  note(global, "security: {known_keys: {" + name + ": '" + pair.public_key + "'}}   # for all");
  return show_public(global, name, file, pair.public_key);
}

int public_of(const Global& global, const std::string& file) {
  const auto text = read_regular_file(file, kKeyFileBytesMax);
  if (!text) return fail(global, text.error());
  if (!*text) return fail(global, Error(codes::io_failed, "cannot read a key from " + file + ": it does not exist"));
  const auto pair = net::KeyPair::from_secret((*text)->substr(0, (*text)->find('\n')));
  if (!pair) return fail(global, Error(codes::bad_usage, file + " holds no secret key"));
  return show_public(global, "", file, pair->public_key);
}

}  // namespace

std::vector<Verb> keys_verbs() {
  auto name = std::make_shared<std::string>(), out = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  return {{.name = "keys",
           .summary = "Make keys for encrypted connections",
           .verbs = {{.name = "new",
                      .summary = "Make a pair of keys: the secret one goes into a file, the public one is printed",
                      .examples = {"weft keys new sysmon",
                                   "weft keys new registry-alpha --out /etc/weft/keys/registry-alpha.key"},
                      .options = {text("name", *name, "NAME", "What others call it in security.known_keys").required(),
                                  text("--out", *out, "FILE", "File for the secret key (default: NAME.key)")},
                      .run = [name, out](const Global& global) { return new_pair(global, *name, *out); }},
                     {.name = "public",
                      .summary = "Print the public key that belongs to a file with a secret one",
                      .examples = {"weft keys public sysmon.key"},
                      .options = {text("file", *file, "FILE", "The file that keys new wrote").required()},
                      .run = [file](const Global& global) { return public_of(global, *file); }}}}};
}

}  // namespace weft::cli
