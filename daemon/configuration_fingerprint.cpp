// Whether two checks are the same one, for a reload.
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "config/units.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {
namespace {

using config::Node;

void append_canonical(const Node& node, std::string& text) {
  const auto quoted = [&](const std::string& part) { text += std::to_string(part.size()) + ":" + part; };
  text += node.kind == Node::Kind::mapping ? '{' : node.kind == Node::Kind::sequence ? '[' : node.quoted ? '"' : '.';
  quoted(node.scalar);
  for (const Node& item : node.items) append_canonical(item, text);
  std::vector<const Node::Member*> members;
  for (const Node::Member& member : node.members) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  for (const Node::Member* member : members) {
    quoted(member->key);
    append_canonical(member->value, text);
  }
  text += '}';
}

}  // namespace

std::string fingerprint_of(const Node& node, const CheckDraft& draft) {
  std::string text = draft.rules.probe + "\n";
  append_canonical(node, text);
  const auto& rules = draft.rules;
  text += config_duration(draft.plan.every) + " " + config_duration(draft.plan.timeout) + " " +
          Confirm{}.show(rules.confirm) + " " + std::to_string(rules.recover.successes) + " " +
          SeverityPair{}.show({rules.critical, rules.warning}) + " " + config::TextMap{}.show(rules.labels) +
          config::Limits{}.show(rules.limits);
  return digest(text);
}

std::string digest(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < 16; ++i) {
    hex += digits[hash[i] >> 4];
    hex += digits[hash[i] & 15];
  }
  return hex;
}

}  // namespace vitald::daemon
