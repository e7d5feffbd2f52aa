#include "probes/expiry_certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "probes/foreign_text.hpp"
#include "probes/net/tls.hpp"
#include "probes/net/tls_verify.hpp"
#include "probes/wire/ssh_certificate.hpp"

namespace vitald::probes::expiry {
namespace {

constexpr int most_certificates = 200;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Held = std::unique_ptr<X509, Free>;

/// A private key in the same file may be encrypted: nobody is asked for its password.
int no_password(char*, int, int, void*) { return 0; }

void take(const Held& certificate, std::optional<Validity>& first) {
  const net::Certificate seen = net::describe(certificate.get());
  // A certificate may claim any year; between these two no clock overflows.
  const Wall end = std::clamp(seen.not_after, Wall{}, Wall::max() - std::chrono::hours(48));
  if (!first || end < *first->end) first = {.end = end, .subject = foreign_text(seen.subject)};
}

std::optional<Validity> read_pem(std::string_view bytes) {
  std::optional<Validity> first;
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  for (int count = 0; bio != nullptr && count < most_certificates; ++count) {
    const Held certificate(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (certificate == nullptr) break;
    take(certificate, first);
  }
  return first;
}

std::optional<Validity> read_der(std::string_view bytes) {
  std::optional<Validity> only;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const Held certificate(d2i_X509(nullptr, &data, static_cast<long>(bytes.size())));
  if (certificate != nullptr) take(certificate, only);
  return only;
}

}  // namespace

Result<Validity> read_validity(std::string_view bytes) {
  if (wire::is_ssh_certificate(bytes)) {
    const auto ssh = wire::parse_ssh_certificate(bytes);
    if (!ssh) return ssh.failure();
    return Validity{.end = ssh->valid_before, .subject = foreign_text(ssh->key_id)};
  }
  auto found = read_pem(bytes);
  if (!found) found = read_der(bytes);
  ERR_clear_error();  // the queue is this thread's, and the next who looks into it means its own call
  if (!found) return Failure{"", "holds no certificate"};
  return std::move(*found);
}

}  // namespace vitald::probes::expiry
