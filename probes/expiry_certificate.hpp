// When the certificates in a file end: X.509 as PEM (any number of them) or DER, and OpenSSH's. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "config/result.hpp"

namespace vitald::probes::expiry {

struct Validity {
  std::optional<Wall> end;  // of the one that ends first; nothing: for ever
  std::string subject;      // of that one: a common name or an SSH key id; bounded, fit to show
};

/// The failure's words go on after "PATH": "holds no certificate".
Result<Validity> read_validity(std::string_view bytes);

}  // namespace vitald::probes::expiry
