// Secrets on their way to the wire.
#pragma once

#include <string>

#include "config/secret.hpp"

namespace vitald::probes {

/// The secret's text. Throws ProbeFailure(unmeasured) with the reason "secret_missing:NAME".
std::string reveal(const Secret& secret);

/// The value of an Authorization header (RFC 7617).
std::string basic_authorization(const std::string& user, const std::string& password);

}  // namespace vitald::probes
