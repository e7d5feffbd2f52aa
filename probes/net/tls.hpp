// What a TLS peer proved about itself.
#pragma once

#include <string>
#include <vector>

#include "config/now.hpp"

namespace vitald::net {

/// One certificate of the chain as the peer served it. Foreign text is bounded and valid UTF-8.
struct Certificate {
  std::string subject;    // its common name, or the whole subject where it has none
  std::string issuer;
  std::string serial;     // hex
  std::string sha256;     // fingerprint, hex
  std::vector<std::string> names;  // subjectAltName DNS and IP entries, at most 100
  Wall not_before{};
  Wall not_after{};
  bool self_signed = false;
  bool authority = false;  // CA:TRUE
};

struct TlsPeer {
  std::vector<Certificate> served;  // leaf first, at most 10
  std::string protocol;             // "TLSv1.3"
  std::string cipher;
  long verify_code = 0;             // X509_V_OK, or the first OpenSSL X509_V_ERR_* of the chain
  std::string verify_text;          // OpenSSL's words for it
  bool name_matches = true;         // told apart from the chain's own trust
  /// The chain could be completed only with a certificate that the peer did not send but the local store or the
  /// leaf's issuer had: other clients will fail.
  bool chain_incomplete = false;
};

}  // namespace vitald::net
