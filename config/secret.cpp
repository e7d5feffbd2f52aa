#include "config/secret.hpp"

#include <string.h>
#include <sys/stat.h>

#include <cstdlib>
#include <optional>
#include <utility>

#include "config/regular_file.hpp"

namespace vitald {
namespace {

constexpr std::size_t most_bytes = 64u << 10;

/// What is wrong with the rights of a file that holds a secret, or "". A group may read it (root:vitald 0640 is how a
/// service without root gets at it), but nobody else may, and nobody but the owner may put another secret there.
std::string objection(const std::string& path, mode_t mode) {
  if ((mode & S_IROTH) != 0) return path + " can be read by every user of this host; run: chmod o= " + path;
  if ((mode & (S_IWGRP | S_IWOTH)) != 0)
    return path + " can be changed by others than its owner; run: chmod go-w " + path;
  return "";
}

/// A symbolic link is followed (Kubernetes and systemd both hand secrets out through links).
Result<std::string> read_secret_file(const std::string& path) {
  auto file = config::read_regular_file(path, most_bytes);
  if (!file) return Failure{"", path + " " + file.failure().what};
  if (auto wrong = objection(path, file->mode); !wrong.empty()) return Failure{"", std::move(wrong)};
  return std::move(file->text);
}

Result<std::string> read_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return Failure{"", "the environment variable " + name + " is not set"};
  return std::string(value);
}

Result<std::string> read_credential(const std::string& name) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) {
    return Failure{"",
                   "there are no systemd credentials here ($CREDENTIALS_DIRECTORY is not set); run vitald as a service "
                   "with LoadCredential=" +
                       name + ":/path/to/the/secret"};
  }
  auto value = read_secret_file(std::string(directory) + "/" + name);
  if (!value && value.failure().what.ends_with("there is no such file")) {
    return Failure{"", "systemd passed no credential of that name; add LoadCredential=" + name +
                           ":/path/to/the/secret to vitald.service"};
  }
  return value;
}

Result<std::string> without_newline(Result<std::string> value) {
  if (!value) return value;
  if (value->ends_with('\n')) value->pop_back();
  if (value->ends_with('\r')) value->pop_back();
  if (value->empty()) return Failure{"", "it is empty"};
  return value;
}

}  // namespace

struct Secret::State {
  State(Source source_, std::string name_) : source(source_), name(std::move(name_)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (source == Source::plain) explicit_bzero(name.data(), name.size());
    if (value && *value) explicit_bzero((*value)->data(), (*value)->size());
  }

  Source source;
  std::string name;
  std::optional<Result<std::string>> value;
};

Secret::Secret(Source source, std::string name) : state_(std::make_shared<State>(source, std::move(name))) {}

Secret::Source Secret::source() const { return state_ ? state_->source : Source::plain; }

const std::string& Secret::name() const {
  static const std::string none;
  return source() == Source::plain ? none : state_->name;
}

std::string Secret::describe() const {
  switch (source()) {
    case Source::plain:
      return "the secret in the configuration file";
    case Source::file:
      return "file " + name();
    case Source::environment:
      return "environment variable " + name();
    case Source::credential:
      return "credential " + name();
  }
  return "secret";
}

void Secret::load() {
  switch (source()) {
    case Source::plain:
      return;
    case Source::file:
      state_->value = without_newline(read_secret_file(state_->name));
      return;
    case Source::environment:
      state_->value = without_newline(read_variable(state_->name));
      return;
    case Source::credential:
      state_->value = without_newline(read_credential(state_->name));
      return;
  }
}

Result<std::string_view> Secret::reveal() const {
  if (!state_) return std::string_view();
  if (state_->source == Source::plain) return std::string_view(state_->name);
  if (!state_->value) return Failure{describe(), "it has not been read"};
  if (!*state_->value) return Failure{describe(), state_->value->failure().what};
  return std::string_view(**state_->value);
}

}  // namespace vitald
