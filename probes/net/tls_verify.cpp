#include "probes/net/tls_verify.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "config/units.hpp"
#include "probes/net/address.hpp"

namespace vitald::net {
namespace {

bool self_issued(const X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

/// Authority Information Access says where the issuer's certificate can be had. Every public authority puts it into its
/// certificates (CA/Browser Forum Baseline Requirements 7.1.2.7), hardly any private one does.
bool names_its_issuer(const X509* certificate) { return X509_get_ext_by_NID(certificate, NID_info_access, -1) >= 0; }

X509* issuer_served(const STACK_OF(X509) * served, X509* certificate) {
  for (int at = 0; at < sk_X509_num(served); ++at) {
    auto* candidate = sk_X509_value(served, at);
    if (candidate != certificate && X509_check_issued(candidate, certificate) == X509_V_OK) return candidate;
  }
  return nullptr;
}

/// Whether the peer left out an intermediate. Walks up what was served; where that ends, the next issuer must be a root
/// that is known here. With nothing but the leaf and nothing known here, a missing intermediate and an unknown private
/// root look the same: it is taken for the former where the authority is public, or the user named the root to expect.
bool is_incomplete(X509_STORE_CTX* store, X509* leaf, const Verification& verification) {
  const auto* served = X509_STORE_CTX_get0_untrusted(store);
  auto* top = leaf;
  for (int step = 0; step <= most_served && !self_issued(top); ++step) {
    auto* issuer = issuer_served(served, top);
    if (issuer == nullptr) break;
    top = issuer;
  }
  if (self_issued(top)) return false;
  X509* known = nullptr;
  if (X509_STORE_CTX_get1_issuer(&known, store, top) == 1 && known != nullptr) {
    const bool is_root = self_issued(known);
    X509_free(known);
    return !is_root;
  }
  return top == leaf && (verification.private_authority || names_its_issuer(leaf));
}

bool name_fits(X509* leaf, const std::string& name) {
  if (name.empty()) return false;
  if (numeric_address(name, 0)) return X509_check_ip_asc(leaf, name.c_str(), 0) == 1;
  return X509_check_host(leaf, name.data(), name.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

std::string day(Wall at) { return say_time(at, true).substr(0, 10); }

std::string names_of(const Certificate& certificate) {
  constexpr std::size_t most = 5;
  if (certificate.names.empty()) return certificate.subject;
  std::string out;
  for (std::size_t at = 0; at < std::min(most, certificate.names.size()); ++at)
    out += (at == 0 ? "" : ", ") + certificate.names[at];
  if (certificate.names.size() > most) out += " and " + std::to_string(certificate.names.size() - most) + " more";
  return out;
}

probes::ProbeFailure wrong(const char* reason, std::string summary, std::string remedy = "") {
  return probes::ProbeFailure(Outcome::wrong, reason, std::move(summary), std::move(remedy));
}

probes::ProbeFailure date_failure(bool expired, const Certificate& which, const Verification& verification) {
  const auto whose =
      verification.depth == 0 ? std::string("certificate") : "certificate of the authority " + which.subject;
  if (expired)
    return wrong("tls_expired", whose + " expired " + say_duration(verification.now - which.not_after) + " ago (" +
                                    day(which.not_after) + ")");
  return wrong("tls_not_yet_valid",
               whose + " is not valid before " + day(which.not_before) + " (in " +
                   say_duration(which.not_before - verification.now) + ")",
               "see whether this host's clock is right: timedatectl");
}

/// Why the handshake ends, for people.
probes::ProbeFailure failure_of(X509_STORE_CTX* store, X509* leaf, const Verification& verification) {
  const auto certificate = describe(leaf);
  const auto* at_fault = X509_STORE_CTX_get_current_cert(store);
  switch (verification.code) {
    case X509_V_OK:
      if (verification.name.empty())
        return wrong("tls_wrong_name", "there is no name that the certificate could be checked for: set server_name");
      return wrong("tls_wrong_name", "certificate is for " + names_of(certificate) + ", not for " + verification.name);
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return date_failure(verification.code == X509_V_ERR_CERT_HAS_EXPIRED,
                          at_fault != nullptr ? describe(const_cast<X509*>(at_fault)) : certificate, verification);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return wrong("tls_self_signed", "certificate of " + certificate.subject + " is self-signed",
                   "name it in ca_file to trust it");
    default:
      break;
  }
  if (verification.incomplete)
    return wrong("tls_chain_incomplete",
                 "the server did not send the certificate of " + certificate.issuer +
                     ", which issued its own; it is not known here either",
                 "let the server send the whole chain (nginx: ssl_certificate with the intermediates), or name a "
                 "private authority in ca_file");
  return wrong("tls_untrusted",
               "certificate is issued by " + certificate.issuer + ", which is not trusted here (" +
                   X509_verify_cert_error_string(verification.code) + ")",
               "name the authority's certificate in ca_file");
}

int verify(X509_STORE_CTX* store, void*) {
  const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& verification = *static_cast<Verification*>(SSL_get_app_data(ssl));
  auto* leaf = X509_STORE_CTX_get0_cert(store);
  const int served = sk_X509_num(X509_STORE_CTX_get0_untrusted(store));
  if (served > most_served) {
    verification.failure.emplace(Outcome::wrong, "tls_handshake",
                                 "the server sent " + std::to_string(served) + " certificates; at most ten are taken");
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
    return 0;
  }
  const bool trusted = X509_verify_cert(store) == 1;
  verification.ran = true;
  verification.code = X509_STORE_CTX_get_error(store);
  verification.depth = X509_STORE_CTX_get_error_depth(store);
  if (!trusted && verification.code == X509_V_OK) verification.code = X509_V_ERR_UNSPECIFIED;
  verification.name_matches = name_fits(leaf, verification.name);
  verification.incomplete = is_incomplete(store, leaf, verification);
  if (!verification.judge || (trusted && verification.name_matches)) return 1;
  verification.failure = failure_of(store, leaf, verification);
  if (verification.code == X509_V_OK) X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

}  // namespace

void install_verification(ssl_ctx_st* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &verify, nullptr);
}

void attach(ssl_st* connection, Verification& verification) { SSL_set_app_data(connection, &verification); }

}  // namespace vitald::net
