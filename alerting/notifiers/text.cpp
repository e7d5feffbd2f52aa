#include "alerting/notifiers/text.hpp"

#include <algorithm>

#include "alerting/voice.hpp"
#include "config/ascii.hpp"

namespace vitald::alerting {

std::string address_problem(std::string_view address) {
  const std::size_t scheme = address.starts_with("https://") ? 8 : address.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return "expected an address that begins with https:// or http://";
  const bool plain = std::all_of(address.begin(), address.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (!plain) return "expected an address without spaces, control characters or letters beyond ASCII";
  const std::string_view authority = address.substr(scheme, address.find_first_of("/?#", scheme) - scheme);
  if (authority.empty()) return "expected an address with a host";
  if (authority.find('@') != std::string_view::npos)
    return "expected an address without user and password; use a header or a token";
  return "";
}

Result<std::string> reveal_address(const Secret& secret, std::string_view option) {
  const auto text = secret.reveal();
  if (!text) return text.failure();
  if (const std::string problem = address_problem(*text); !problem.empty()) {
    return Failure{secret.describe(), std::string(option) + ": " + problem};
  }
  return std::string(*text);
}

Result<std::string> reveal_token(const Secret& secret, std::string_view option) {
  const auto text = secret.reveal();
  if (!text) return text.failure();
  const bool visible =
      !text->empty() && std::all_of(text->begin(), text->end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (!visible)
    return Failure{secret.describe(),
                   std::string(option) + ": it is empty, or has spaces, lines or letters beyond ASCII in it"};
  return std::string(*text);
}

std::string AddressText::type_name() const { return "address"; }

std::string AddressText::schema() const { return config::SecretText{}.schema(); }

/// A plain address is no secret by itself, so it earns no warning; a reference is read as any secret's.
Result<Secret> AddressText::read(const config::Node& node, config::Problems& problems) const {
  if (node.kind != config::Node::Kind::scalar) return config::SecretText{}.read(node, problems);
  if (const std::string problem = address_problem(node.scalar); !problem.empty()) return Failure{"", problem};
  return Secret(Secret::Source::plain, node.scalar);
}

const std::string* find_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                   [](char a, char b) { return ascii_lower(a) == b; }))
      return &value;
  }
  return nullptr;
}

std::string ascii(std::string_view text, std::size_t most) {
  std::string plain;
  for (const char c : clean(text, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) plain += c;
    if (byte >= 0xC0) plain += '?';  // once for each character, whose first byte this is
  }
  return plain;
}

std::string redacted(std::string text, std::string_view secret) {
  constexpr std::string_view blot = "***";
  if (secret.empty()) return text;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + blot.size()))
    text.replace(at, secret.size(), blot);
  return text;
}

}  // namespace vitald::alerting
