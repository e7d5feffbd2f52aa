#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <ctime>
#include <memory>

#include "probes/net/tls_verify.hpp"

namespace vitald::net {
namespace {

constexpr std::size_t most_names = 100;

struct Freer {
  void operator()(char* text) const { OPENSSL_free(text); }
  void operator()(unsigned char* text) const { OPENSSL_free(text); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <class T>
using Owned = std::unique_ptr<T, Freer>;

/// How many bytes the UTF-8 character at the front has, or 0 where there is none that may be shown.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(at < text.size() ? text[at] : 0); };
  const auto first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7f ? 0 : 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t at = 1; at < length; ++at)
    if ((byte(at) & 0xc0) != 0x80) return 0;
  const auto second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  const bool control = first == 0xc2 && second < 0xa0;  // C1
  const bool bidi =
      first == 0xe2 && ((second == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae) ||
                        (second == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));  // would reorder a message
  return overlong || surrogate || control || bidi ? 0 : length;
}

std::string text_of(const ASN1_STRING* string) {
  unsigned char* raw = nullptr;
  const int length = ASN1_STRING_to_UTF8(&raw, string);
  const Owned<unsigned char> owned(raw);
  if (length < 0) return "?";
  return presentable({reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length)});
}

/// The common name, or everything there is where there is none.
std::string name_of(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at >= 0) return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  const Owned<BIO> out(BIO_new(BIO_s_mem()));
  if (!out ||
      X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB)) < 0)
    return "?";
  char* text = nullptr;
  const long length = BIO_get_mem_data(out.get(), &text);
  return length > 0 ? presentable({text, static_cast<std::size_t>(length)}) : "(no name)";
}

Wall time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return Wall(std::chrono::duration_cast<Duration>(std::chrono::seconds(::timegm(&parts))));
}

std::string serial_of(const X509* certificate) {
  const Owned<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (!number) return "";
  const Owned<char> hex(BN_bn2hex(number.get()));
  return hex ? presentable(hex.get(), 64) : "";
}

std::string fingerprint_of(const X509* certificate) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned count = 0;
  if (X509_digest(certificate, EVP_sha256(), bytes.data(), &count) != 1) return "";
  std::string out;
  for (unsigned at = 0; at < count; ++at) {
    out += digits[bytes[at] >> 4];
    out += digits[bytes[at] & 15];
  }
  return out;
}

std::string ip_of(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(bytes);
  const int family = length == 16 ? AF_INET6 : AF_INET;
  if (length != 4 && length != 16) return "";
  return ::inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size()) != nullptr ? text.data() : "";
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> out;
  const Owned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return out;
  for (int at = 0; at < sk_GENERAL_NAME_num(names.get()) && out.size() < most_names; ++at) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), at);
    if (name->type == GEN_DNS) out.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) out.push_back(ip_of(name->d.iPAddress));
  }
  return out;
}

}  // namespace

std::string presentable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    const auto length = character(text);
    if (out.size() + std::max<std::size_t>(length, 1) > most) break;
    if (length == 0)
      out += '?';
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

Certificate describe(x509_st* certificate) {
  Certificate out;
  out.subject = name_of(X509_get_subject_name(certificate));
  out.issuer = name_of(X509_get_issuer_name(certificate));
  out.serial = serial_of(certificate);
  out.sha256 = fingerprint_of(certificate);
  out.names = alternative_names(certificate);
  out.not_before = time_of(X509_get0_notBefore(certificate));
  out.not_after = time_of(X509_get0_notAfter(certificate));
  const auto flags = X509_get_extension_flags(certificate);
  out.self_signed = (flags & EXFLAG_SS) != 0;
  out.authority = (flags & EXFLAG_CA) != 0;
  return out;
}

}  // namespace vitald::net
