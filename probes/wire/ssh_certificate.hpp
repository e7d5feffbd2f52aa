// OpenSSH's certificates (PROTOCOL.certkeys), as they stand in id_ed25519-cert.pub: how long one is valid. The
// signature is not judged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "config/result.hpp"

namespace vitald::wire {

struct SshCertificate {
  std::string type;    // "ssh-ed25519-cert-v01@openssh.com"
  std::string key_id;  // foreign text
  std::uint64_t serial = 0;
  bool host = false;                      // of a host, not of a user
  std::optional<Wall> valid_before = {};  // nothing: for ever
};

/// Whether it begins as one does.
bool is_ssh_certificate(std::string_view text);
/// "TYPE BASE64 COMMENT", one line. The failure's words go on after a file's name: "is no complete SSH certificate".
Result<SshCertificate> parse_ssh_certificate(std::string_view text);

}  // namespace vitald::wire
