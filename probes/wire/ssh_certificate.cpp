#include "probes/wire/ssh_certificate.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace vitald::wire {
namespace {

constexpr std::string_view suffix = "-cert-v01@openssh.com";
constexpr std::size_t most_base64 = 64 * 1024;
// 2200-01-01, well within what a Wall can hold; OpenSSH writes 2^64-1 for ever.
constexpr std::uint64_t for_ever = 7258118400;

struct KeyKind {
  std::string_view type;
  int fields;  // strings and mpints of the public key, which stand between the nonce and the serial number
};
constexpr KeyKind kinds[] = {
    {"ssh-ed25519-cert-v01@openssh.com", 1},
    {"ssh-rsa-cert-v01@openssh.com", 2},
    {"rsa-sha2-256-cert-v01@openssh.com", 2},
    {"rsa-sha2-512-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com", 2},
    {"sk-ssh-ed25519-cert-v01@openssh.com", 2},
    {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 3},
    {"ssh-dss-cert-v01@openssh.com", 4},
};

/// Everything in it is big-endian; a string is its length and its bytes.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  bool failed() const { return failed_; }

  std::uint64_t number(std::size_t size) {
    const std::string_view taken = take(size);
    std::uint64_t value = 0;
    for (const char each : taken) value = value << 8 | static_cast<unsigned char>(each);
    return value;
  }
  std::string_view string() { return take(static_cast<std::size_t>(number(4))); }

 private:
  std::string_view take(std::size_t size) {
    failed_ = failed_ || size > bytes_.size();
    if (failed_) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool failed_ = false;
};

std::string_view word(std::string_view& text) {
  const std::size_t from = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(from);
  const std::string_view taken = text.substr(0, text.find_first_of(" \t\r\n"));
  text.remove_prefix(taken.size());
  return taken;
}

std::optional<std::string> decoded(std::string_view base64) {
  if (base64.empty() || base64.size() > most_base64 || base64.size() % 4 != 0) return std::nullopt;
  std::vector<unsigned char> out(base64.size() / 4 * 3);
  const int size = EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                                   static_cast<int>(base64.size()));
  if (size < 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(out.data()), static_cast<std::size_t>(size));
}

}  // namespace

bool is_ssh_certificate(std::string_view text) {
  const std::string_view type = word(text);
  return type.size() < 64 && type.ends_with(suffix);
}

Result<SshCertificate> parse_ssh_certificate(std::string_view text) {
  const Failure incomplete{"", "is no complete SSH certificate"};
  SshCertificate made;
  made.type = word(text);
  const auto kind =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& each) { return each.type == made.type; });
  if (kind == std::end(kinds)) return Failure{"", "is an SSH certificate of a kind that vitald does not know"};
  const auto bytes = decoded(word(text));
  if (!bytes) return incomplete;
  Cursor cursor(*bytes);
  cursor.string();  // the type once more
  cursor.string();  // nonce
  for (int i = 0; i < kind->fields; ++i) cursor.string();
  made.serial = cursor.number(8);
  made.host = cursor.number(4) == 2;
  made.key_id = cursor.string();
  cursor.string();   // principals
  cursor.number(8);  // valid after
  const std::uint64_t before = cursor.number(8);
  if (cursor.failed()) return incomplete;
  if (before < for_ever) made.valid_before = Wall(std::chrono::seconds(before));
  return made;
}

}  // namespace vitald::wire
