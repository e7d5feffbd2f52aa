// The kind SecretText: only the form of a reference is judged here, never whether the secret is there.
#include <algorithm>
#include <utility>

#include "config/kinds.hpp"
#include "config/reader.hpp"
#include "config/shown.hpp"

namespace vitald::config {
namespace {

constexpr std::string_view forms = "{ file: /path }, { env: NAME } or { credential: name }";

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

bool is_variable(const std::string& name) {
  return !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), is_word);
}

bool is_credential(const std::string& name) {
  const auto allowed = [](char c) { return is_word(c) || c == '.' || c == '-'; };
  return name != "." && name != ".." && std::all_of(name.begin(), name.end(), allowed);
}

/// The reference that `key: name` is, or a sentence without the name: it may be a secret in the wrong place.
Result<Secret> reference(const std::string& key, const std::string& name) {
  if (key == "file") {
    if (!name.starts_with('/')) return Failure{"", "'file': expected a path that begins with '/'"};
    return Secret(Secret::Source::file, name);
  }
  if (key == "env") {
    if (!is_variable(name)) return Failure{"", "'env': expected the name of a variable, of letters, digits and _"};
    return Secret(Secret::Source::environment, name);
  }
  if (!is_credential(name)) {
    return Failure{"", "'credential': expected the name of a systemd credential, of letters, digits, '.', '_' and '-'"};
  }
  return Secret(Secret::Source::credential, name);
}

}  // namespace

std::string SecretText::type_name() const { return "secret"; }

std::string SecretText::schema() const {
  return R"({"anyOf":[{"type":["string","number"],"minLength":1},)"
         R"({"type":"object","properties":{"file":{"type":"string","pattern":"^/"},)"
         R"("env":{"type":"string","pattern":"^[A-Za-z_][A-Za-z0-9_]*$"},)"
         R"("credential":{"type":"string","pattern":"^[A-Za-z0-9._-]+$"}},)"
         R"("minProperties":1,"maxProperties":1,"additionalProperties":false}]})";
}

Result<Secret> SecretText::read(const Node& node, Problems& problems) const {
  if (node.kind == Node::Kind::scalar) {
    if (node.scalar.empty()) return Failure{"", "expected a secret, found an empty text"};
    problems.warn(node.at, "a secret stands in the configuration file; better is " + std::string(forms));
    return Secret(Secret::Source::plain, node.scalar);
  }
  if (node.kind != Node::Kind::mapping || node.members.size() != 1) {
    return Failure{"", "expected a secret as one of " + std::string(forms)};
  }
  const auto& [key, at, value] = node.members.front();
  if (key != "file" && key != "env" && key != "credential") {
    const std::string close = suggestion(key, {"file", "env", "credential"});
    problems.error(at,
                   "unknown key '" + shown(key) + "'; " +
                       (close.empty() ? "a secret is one of " + std::string(forms) : "did you mean '" + close + "'?"));
    return Failure{"", "has an unknown key"};
  }
  if (value.kind != Node::Kind::scalar || value.scalar.empty() || value.scalar.size() > 4096) {
    problems.error(value.at, "'" + key + "': expected text, found " +
                                 (value.kind == Node::Kind::scalar ? "an empty or a very long one"
                                                                   : std::string(value.kind_name())));
    return Failure{"", "has a wrong value"};
  }
  auto secret = reference(key, value.scalar);
  if (!secret) problems.error(value.at, secret.failure().what);
  return secret;
}

Secret SecretText::dummy() const { return {}; }

std::string SecretText::show(const Secret&) const { return ""; }

}  // namespace vitald::config
