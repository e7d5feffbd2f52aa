#include "probes/net/redirect.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/ascii.hpp"
#include "probes/failure.hpp"

namespace vitald::net {
namespace {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

template <std::size_t count>
void drop(Headers& headers, const std::array<std::string_view, count>& names) {
  std::erase_if(headers, [&](const auto& header) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return same_name(header.first, name); });
  });
}

probes::ProbeFailure refused(const Url& from, std::string_view to, const std::string& why) {
  return probes::ProbeFailure(
      Outcome::wrong, "redirect_refused",
      text_of(from) + " redirects to " + std::string(to.substr(0, 200)) + ", which is not followed: " + why);
}

}  // namespace

std::string text_of(const Url& url) { return (url.https ? "https://" : "http://") + url.authority + url.path; }

bool same_origin(const Url& a, const Url& b) { return a.https == b.https && a.host == b.host && a.port == b.port; }

bool same_name(std::string_view a, std::string_view b) {
  return equal_but_case(a, b);
}

std::optional<HttpRequest> redirected(const HttpRequest& request, const HttpResponse& response) {
  const auto* location = response.header("location");
  if (!is_redirect(response.status) || location == nullptr) return std::nullopt;
  auto url = resolve_url(request.url, *location);
  if (!url) throw refused(request.url, "an address that cannot be used", url.failure().what);

  const auto to = text_of(*url);
  if (request.url.https && !url->https && !request.limits.redirect_downgrade)
    throw refused(request.url, to, "it leads from https to http");
  if (request.url.host != url->host && !request.limits.redirect_to_other_host)
    throw refused(request.url, to, "it leads to another host");
  const bool elsewhere = !same_origin(request.url, *url);
  if (elsewhere && !request.unix_path.empty())
    throw refused(request.url, to, "it leads away from the socket " + request.unix_path);

  HttpRequest next = request;
  next.url = *url;
  const bool becomes_get = response.status == 303
                               ? request.method != "HEAD"
                               : response.status <= 302 && request.method != "GET" && request.method != "HEAD";
  if (becomes_get) {
    next.method = "GET";
    next.body.clear();
    drop(next.headers, std::array<std::string_view, 5>{"content-length", "content-type", "content-encoding",
                                                       "content-language", "transfer-encoding"});
  }
  if (elsewhere) {
    drop(next.headers, std::array<std::string_view, 4>{"authorization", "cookie", "proxy-authorization", "host"});
    next.tls.client_certificate.clear();
    next.tls.client_key.clear();
  }
  if (request.url.host != url->host) next.tls.server_name.clear();
  return next;
}

}  // namespace vitald::net
