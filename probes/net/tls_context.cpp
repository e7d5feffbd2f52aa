#include "probes/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "probes/failure.hpp"
#include "probes/net/tls_verify.hpp"

namespace vitald::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_kept = 64;
constexpr auto check_every = 5s;
constexpr off_t largest_file = 8 << 20;
constexpr long largest_chain = 256 * 1024;  // bytes of served certificates; OpenSSL's own limit is 100 KiB

probes::ProbeFailure unusable(const std::string& path, const std::string& why) {
  return probes::ProbeFailure(Outcome::unmeasured, "bad_file:" + path, "the file " + path + " cannot be used: " + why);
}

std::string openssl_error() {
  const auto code = ERR_peek_last_error();
  const char* text = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return text != nullptr ? text : "unknown error";
}

/// Identity and age of a file; throws where it cannot be used at all.
std::string stamp_of(const std::string& path) {
  if (path.empty()) return "";
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0 || ::access(path.c_str(), R_OK) != 0) {
    const int error = errno;
    if (error == ENOENT) throw unusable(path, "it does not exist");
    if (error == EACCES)
      throw probes::ProbeFailure(Outcome::unmeasured, "denied:" + path, "vitald may not read " + path,
                                 "run: setfacl -m u:vitald:r " + path);
    throw probes::failure_from(std::error_code(error, std::generic_category()), "read " + path);
  }
  if (!S_ISREG(file.st_mode)) throw unusable(path, "it is not a regular file");
  if (file.st_size > largest_file) throw unusable(path, "it is larger than 8 MiB");
  return std::to_string(file.st_ino) + ":" + std::to_string(file.st_size) + ":" + std::to_string(file.st_mtim.tv_sec) +
         ":" + std::to_string(file.st_mtim.tv_nsec);
}

std::string stamps_of(const TlsOptions& options) {
  return stamp_of(options.ca_file) + " " + stamp_of(options.client_certificate) + " " + stamp_of(options.client_key);
}

TlsContext make_context(const TlsOptions& options) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()), FreeContext());
  if (!context)
    throw probes::ProbeFailure(Outcome::unmeasured, "tls_unavailable", "OpenSSL does not start: " + openssl_error());
  auto* raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);  // each probe verifies the certificate that is served now
  SSL_CTX_set_read_ahead(raw, 1);                           // one recv for a record's header and body
  SSL_CTX_set_max_cert_list(raw, largest_chain);
  // A key with a passphrase would make OpenSSL ask on the terminal.
  SSL_CTX_set_default_passwd_cb(raw, [](char*, int, int, void*) { return 0; });
  install_verification(raw);

  if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(raw) != 1)
      throw probes::ProbeFailure(Outcome::unmeasured, "no_authorities",
                                 "the system's certificate authorities cannot be loaded: " + openssl_error(),
                                 "apt-get install ca-certificates");
  } else if (SSL_CTX_load_verify_file(raw, options.ca_file.c_str()) != 1) {
    throw unusable(options.ca_file, openssl_error());
  }
  if (options.client_certificate.empty()) return context;
  if (SSL_CTX_use_certificate_chain_file(raw, options.client_certificate.c_str()) != 1)
    throw unusable(options.client_certificate, openssl_error());
  if (SSL_CTX_use_PrivateKey_file(raw, options.client_key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw unusable(options.client_key, openssl_error());
  if (SSL_CTX_check_private_key(raw) != 1)
    throw unusable(options.client_key, "it is not the key of " + options.client_certificate);
  return context;
}

}  // namespace

void FreeContext::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

TlsContext TlsContexts::get(const TlsOptions& options) {
  const auto now = clock_.now().steady;
  const auto key = options.ca_file + '\n' + options.client_certificate + '\n' + options.client_key;
  const auto found = kept_.find(key);
  if (found != kept_.end()) {
    auto& kept = found->second;
    kept.used = now;
    if (now - kept.checked < check_every) return kept.context;
    kept.checked = now;
    if (stamps_of(options) == kept.stamps) return kept.context;
    kept_.erase(found);
  }
  Kept fresh;
  fresh.stamps = stamps_of(options);
  fresh.context = make_context(options);
  fresh.checked = fresh.used = now;
  make_room();
  return kept_.emplace(key, std::move(fresh)).first->second.context;
}

void TlsContexts::make_room() {
  if (kept_.size() < most_kept) return;
  kept_.erase(std::min_element(kept_.begin(), kept_.end(),
                               [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

}  // namespace vitald::net
