// The judgement of a served certificate chain: trust, dates, name and completeness, each told apart.
#pragma once

#include <optional>
#include <string>

#include "config/now.hpp"
#include "probes/failure.hpp"
#include "probes/net/network.hpp"
#include "probes/net/tls.hpp"

struct ssl_ctx_st;
struct ssl_st;
struct x509_st;
struct stack_st_X509;

namespace vitald::net {

/// What is asked of one handshake's chain, and what came out. Belongs to the connection; OpenSSL's callback fills it.
struct Verification {
  std::string name;             // that the certificate must bear
  bool judge = true;            // false: take any chain, note what is wrong with it
  bool private_authority = false;  // the user named a CA file of their own
  Wall now{};

  bool ran = false;
  long code = 0;                // X509_V_OK, or the first error
  int depth = 0;                // of the certificate that it is about
  bool name_matches = true;
  bool incomplete = false;
  std::optional<probes::ProbeFailure> failure;  // set where the handshake is ended for it
};

/// Every connection of this context is judged by its Verification.
void install_verification(ssl_ctx_st* context);
void attach(ssl_st* connection, Verification& verification);

/// At most ten certificates, leaf first.
constexpr int most_served = 10;

/// Foreign text made fit to show: valid UTF-8 without control characters, at most `most` bytes.
std::string presentable(std::string_view text, std::size_t most = 200);
Certificate describe(x509_st* certificate);

}  // namespace vitald::net
