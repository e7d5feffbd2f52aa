#include "probes/authorization.hpp"

#include <openssl/evp.h>

#include "probes/failure.hpp"

namespace vitald::probes {
namespace {

std::string base64(std::string_view text) {
  std::string coded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  coded.resize(static_cast<std::size_t>(length));
  return coded;
}

}  // namespace

std::string reveal(const Secret& secret) {
  const auto text = secret.reveal();
  if (text) return std::string(*text);
  throw ProbeFailure(Outcome::unmeasured, "secret_missing:" + secret.name(),
                     "vitald has no secret: " + text.failure().sentence());
}

std::string basic_authorization(const std::string& user, const std::string& password) {
  return "Basic " + base64(user + ":" + password);
}

}  // namespace vitald::probes
