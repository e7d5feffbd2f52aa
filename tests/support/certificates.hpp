// Certificates made while the test runs: no key is ever committed, none ever expires on its own.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace vitald::testing {

/// A certificate with its key.
struct Identity {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

struct Wish {
  std::string subject = "localhost";
  std::string names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName, or ""
  long from_days = -1;
  long to_days = 30;
  bool authority = false;
  bool names_issuer = false;         // puts the issuer's address in, as public authorities do
  const Identity* issuer = nullptr;  // itself
};

inline void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) throw std::runtime_error("extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

inline Identity make_identity(const Wish& wish) {
  static long serial = 1000;
  Identity made{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  auto* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from_days * 86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.to_days * 86400);
  X509_set_pubkey(certificate, made.key.get());
  auto* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(wish.subject.c_str()),
                             -1, -1, 0);
  auto* issuer = wish.issuer != nullptr ? wish.issuer->certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  if (wish.authority) add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  if (wish.issuer != nullptr) add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  if (wish.names_issuer)
    add_extension(certificate, issuer, NID_info_access, "caIssuers;URI:http://ca.example/issuer.crt");
  if (!wish.names.empty() && !wish.authority) add_extension(certificate, issuer, NID_subject_alt_name, wish.names);
  auto* key = wish.issuer != nullptr ? wish.issuer->key.get() : made.key.get();
  if (X509_sign(certificate, key, EVP_sha256()) == 0) throw std::runtime_error("sign");
  return made;
}

inline void write_certificates(const std::string& path, const std::vector<Identity>& identities) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "w"), &std::fclose);
  for (const auto& identity : identities) PEM_write_X509(file.get(), identity.certificate.get());
}

inline void write_key(const std::string& path, const Identity& identity) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "w"), &std::fclose);
  PEM_write_PrivateKey(file.get(), identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

/// The server's side of a TLS connection over a blocking socket.
class TlsServer {
 public:
  /// Serves the first one's certificate, with the rest as its chain.
  explicit TlsServer(const std::vector<Identity>& chain) : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_use_certificate(context_.get(), chain.front().certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), chain.front().key.get());
    for (std::size_t at = 1; at < chain.size(); ++at)
      SSL_CTX_add1_chain_cert(context_.get(), chain[at].certificate.get());
    SSL_CTX_set_mode(context_.get(), SSL_MODE_NO_AUTO_CHAIN);
  }

  void demand_certificate(const Identity& authority) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.certificate.get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  SSL_CTX* context() { return context_.get(); }

  /// The accepted connection, or nothing where the handshake failed.
  std::unique_ptr<SSL, void (*)(SSL*)> accept(int descriptor) {
    std::unique_ptr<SSL, void (*)(SSL*)> connection(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(connection.get(), descriptor);
    if (SSL_accept(connection.get()) != 1) connection.reset();
    return connection;
  }

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
};

}  // namespace vitald::testing
