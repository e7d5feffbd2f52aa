#include "probes/wire/sigv4.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace vitald::wire {
namespace {

constexpr std::size_t hash_bytes = 32;
constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    text.append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
  return text;
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, hash_bytes> out{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), out.data(), &size) == nullptr) {
    throw std::runtime_error("OpenSSL has no HMAC-SHA256");
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

/// "20130524T000000Z".
std::string stamp(Wall at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  std::array<char, 40> text{};
  const int length = std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ",
                                   static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                   static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                                   static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

/// Without blanks at its ends, and one where there were several.
std::string trimmed(std::string_view value) {
  std::string text;
  for (const char each : value) {
    const bool blank = each == ' ' || each == '\t';
    if (!blank) {
      text += each;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

std::string percent_encoded(std::string_view text, bool slashes) {
  constexpr std::string_view digits = "0123456789ABCDEF", others = "-_.~";
  std::string coded;
  for (const char each : text) {
    const bool plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
                       others.find(each) != std::string_view::npos || (slashes && each == '/');
    const auto byte = static_cast<unsigned char>(each);
    if (plain) {
      coded += each;
    } else {
      coded.append(1, '%').append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
  }
  return coded;
}

std::string canonical_query(const Parameters& query) {
  Parameters coded;
  for (const auto& [name, value] : query) coded.emplace_back(percent_encoded(name), percent_encoded(value));
  std::sort(coded.begin(), coded.end());
  std::string text;
  for (const auto& [name, value] : coded) text.append(text.empty() ? "" : "&").append(name).append("=").append(value);
  return text;
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, hash_bytes> out{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  return hex({reinterpret_cast<const char*>(out.data()), size});
}

Parameters signed_headers(const SigV4Request& request, const SigV4Key& key, Wall at) {
  const std::string when = stamp(at), day = when.substr(0, 8);
  const std::string body_hash = sha256_hex(request.body);
  Parameters added{{"x-amz-content-sha256", body_hash}, {"x-amz-date", when}};
  if (!key.session_token.empty()) added.emplace_back("x-amz-security-token", key.session_token);

  Parameters all = request.headers;
  all.emplace_back("host", request.host);
  all.insert(all.end(), added.begin(), added.end());
  std::sort(all.begin(), all.end());
  std::string lines, names;
  for (const auto& [name, value] : all) {
    lines.append(name).append(":").append(trimmed(value)).append("\n");
    names.append(names.empty() ? "" : ";").append(name);
  }
  const std::string canonical = request.method + "\n" + percent_encoded(request.path, true) + "\n" +
                                canonical_query(request.query) + "\n" + lines + "\n" + names + "\n" + body_hash;

  const std::string scope = day + "/" + key.region + "/" + key.service + "/aws4_request";
  const std::string to_sign = std::string(algorithm) + "\n" + when + "\n" + scope + "\n" + sha256_hex(canonical);
  const std::string day_key = hmac("AWS4" + key.secret_key, day);
  const std::string service_key = hmac(hmac(day_key, key.region), key.service);
  const std::string signature = hex(hmac(hmac(service_key, "aws4_request"), to_sign));
  added.emplace_back("Authorization", std::string(algorithm) + " Credential=" + key.access_key + "/" + scope +
                                          ", SignedHeaders=" + names + ", Signature=" + signature);
  return added;
}

}  // namespace vitald::wire
