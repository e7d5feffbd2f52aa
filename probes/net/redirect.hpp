// Where a redirect leads, and what of the request may go along (RFC 9110 section 15.4).
#pragma once

#include <optional>

#include "probes/net/http.hpp"

namespace vitald::net {

/// "https://example.com/health".
std::string text_of(const Url& url);
bool same_origin(const Url& a, const Url& b);
/// Equal but for the case of ASCII letters: header names.
bool same_name(std::string_view a, std::string_view b);

/// The request that `response` asks for instead of `request`; nothing when it is no redirect. Throws
/// probes::ProbeFailure (redirect_refused) where the limits forbid it.
std::optional<HttpRequest> redirected(const HttpRequest& request, const HttpResponse& response);

}  // namespace vitald::net
