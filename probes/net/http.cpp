#include "probes/net/http.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "probes/failure.hpp"
#include "probes/net/address.hpp"
#include "probes/net/http_codec.hpp"
#include "probes/net/inflate.hpp"
#include "probes/net/redirect.hpp"
#include "probes/net/tls.hpp"

namespace vitald::net {
namespace {

constexpr std::size_t first_read = 4096;  // most answers of a health endpoint fit: a hanging check holds no more
constexpr std::size_t later_read = 16384;
constexpr int slices_at_once = 4;  // 64 KiB of output, about 0.2 ms of inflate, between two turns of the loop

bool has(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) { return same_name(header.first, name); });
}

bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           others.find(c) != std::string_view::npos;
  });
}

/// Whoever filled the request checked it; this is the last gate before foreign text could split a request (CRLF).
void check(const HttpRequest& request) {
  bool fine = is_token(request.method);
  for (const auto& [name, value] : request.headers)
    fine = fine && is_token(name) && value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
  if (!fine)
    throw probes::ProbeFailure(Outcome::unmeasured, "bad_request",
                               "the method or a header of the request holds characters that HTTP does not allow");
}

std::string serialise(const HttpRequest& request) {
  const bool carries_body =
      !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  std::string out;
  out.reserve(256 + request.url.path.size() + request.body.size());
  out.append(request.method).append(" ").append(request.url.path).append(" HTTP/1.1\r\n");
  if (!has(request.headers, "host")) out.append("Host: ").append(request.url.authority).append("\r\n");
  if (!has(request.headers, "user-agent")) out.append("User-Agent: vitald\r\n");
  if (!has(request.headers, "accept")) out.append("Accept: */*\r\n");
  if (request.compressed && !has(request.headers, "accept-encoding")) out.append("Accept-Encoding: gzip, deflate\r\n");
  if (!has(request.headers, "connection")) out.append("Connection: close\r\n");
  if (carries_body && !has(request.headers, "content-length"))
    out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  for (const auto& [name, value] : request.headers) out.append(name).append(": ").append(value).append("\r\n");
  out.append("\r\n").append(request.body);
  return out;
}

bool is_compressed(const HttpResponse& response) {
  const auto* encoding = response.header("content-encoding");
  return encoding != nullptr &&
         (same_name(*encoding, "gzip") || same_name(*encoding, "x-gzip") || same_name(*encoding, "deflate"));
}

probes::ProbeFailure failure_of(HttpCodec::Problem problem, const std::string& explanation) {
  if (problem == HttpCodec::Problem::closed_early)
    return probes::ProbeFailure(Outcome::refused, "closed_early", explanation);
  const auto* reason = problem == HttpCodec::Problem::header_too_large ? "header_too_large" : "bad_response";
  return probes::ProbeFailure(Outcome::wrong, reason, explanation);
}

/// Decodes one piece onto `out`, and lets the loop turn between slices.
awaitable<bool> inflate(Inflater& inflater, std::string_view piece, std::string& out, std::size_t limit) {
  for (int slice = 1;; ++slice) {
    const auto step = inflater.step(piece, out);
    if (out.size() > limit)
      throw probes::ProbeFailure(Outcome::wrong, "decode_bomb",
                                 "the compressed body decodes to more than " + std::to_string(limit) + " bytes");
    if (step == Inflater::Step::broken)
      throw probes::ProbeFailure(Outcome::wrong, "bad_response", "the compressed body is damaged");
    if (step != Inflater::Step::more_output) co_return step == Inflater::Step::finished;
    if (slice % slices_at_once != 0) continue;
    co_await boost::asio::post(boost::asio::use_awaitable);
  }
}

/// Reads one answer off the stream.
class Reading {
 public:
  Reading(Stream& stream, const HttpRequest& request, HttpResponse& response, PhaseLog& phases)
      : stream_(stream),
        request_(request),
        response_(response),
        phases_(phases),
        codec_(response, request.method == "HEAD", request.limits) {}

  awaitable<void> run() {
    std::size_t size = first_read;
    auto buffer = std::make_unique_for_overwrite<char[]>(size);
    bool first = true;
    while (!codec_.complete()) {
      const std::span<char> into(buffer.get(), size);
      const auto count = co_await stream_.read_some(into);
      if (first) {
        phases_.mark("first_byte");
        phases_.begin("rest");
      }
      first = false;
      response_.received_bytes += count;
      const auto problem = count == 0 ? codec_.end() : codec_.feed(std::string_view(buffer.get(), count));
      if (problem != HttpCodec::Problem::none) throw failure_of(problem, codec_.explanation());
      const auto piece = codec_.body_piece();
      if (!piece.empty()) {
        if (!started_) begin_body();
        if (inflater_) {
          const bool whole = co_await inflate(*inflater_, piece, response_.body, request_.limits.decoded_bytes);
          decoded_ = whole;
        } else {
          response_.body.append(piece);
        }
      }
      if (count == size && size < later_read) {
        size = later_read;
        buffer = std::make_unique_for_overwrite<char[]>(size);
      }
    }
    if (inflater_ && !decoded_ && !response_.truncated)
      throw probes::ProbeFailure(Outcome::wrong, "bad_response", "the compressed body ends in the middle");
    phases_.mark("rest");
  }

 private:
  void begin_body() {
    started_ = true;
    if (is_compressed(response_)) inflater_.emplace();
  }

  Stream& stream_;
  const HttpRequest& request_;
  HttpResponse& response_;
  PhaseLog& phases_;
  HttpCodec codec_;
  std::optional<Inflater> inflater_;
  bool started_ = false;
  bool decoded_ = false;
};

/// "192.0.2.7:443" back into an address; nothing for a Unix socket.
std::optional<Address> address_of(const std::string& peer) {
  const auto colon = peer.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  auto host = peer.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return numeric_address(host, 0);
}

/// A redirect may not lead deeper inside than the answer that sent it: a public server must not make us ask the
/// loopback or a cloud's metadata address, by its own Location or by its DNS.
void check_depth(const std::string& from, const std::string& to) {
  const auto before = address_of(from);
  const auto after = address_of(to);
  if (before && after && publicness(*after) < publicness(*before))
    throw probes::ProbeFailure(
        Outcome::wrong, "redirect_refused",
        "a redirect leads from " + from + " to the less public address " + to + ", which is not followed");
}

/// One request and its answer, redirects not followed. `came_from` is the peer that redirected here, or "".
awaitable<HttpResponse> exchange(Network& network, const HttpRequest& request, PhaseLog& phases,
                                 const std::string& came_from) {
  Target target;
  target.host = request.url.host;
  target.port = request.url.port;
  target.unix_path = request.unix_path;
  target.family = request.family;
  if (request.url.https) target.tls = request.tls;
  auto stream = co_await network.connect(target, phases);

  HttpResponse response;
  response.peer = stream->peer();
  const auto* proved = stream->tls();
  if (proved != nullptr && !proved->served.empty()) response.certificate_expires = proved->served.front().not_after;
  if (!came_from.empty()) check_depth(came_from, response.peer);
  const auto head = serialise(request);
  phases.begin("send");
  co_await stream->write(head);
  phases.mark("send");
  phases.begin("first_byte");
  Reading reading(*stream, request, response, phases);
  co_await reading.run();
  co_return response;
}

}  // namespace

const std::string* HttpResponse::header(std::string_view name) const {
  for (const auto& [given, value] : headers)
    if (same_name(given, name)) return &value;
  return nullptr;
}

awaitable<HttpResponse> fetch(Network& network, const HttpRequest& request, PhaseLog& phases) {
  check(request);
  std::optional<HttpRequest> next;
  std::vector<std::string> visited;
  std::string came_from;
  for (;;) {
    const auto& current = next ? *next : request;
    auto response = co_await exchange(network, current, phases, came_from);
    response.redirects = static_cast<int>(visited.size());
    if (!visited.empty()) response.final_url = text_of(current.url);
    if (request.limits.redirects == 0) co_return response;

    auto onward = redirected(current, response);
    if (!onward) co_return response;
    visited.push_back(current.method + " " + text_of(current.url));
    const auto target = text_of(onward->url);
    if (std::find(visited.begin(), visited.end(), onward->method + " " + target) != visited.end())
      throw probes::ProbeFailure(Outcome::wrong, "too_many_redirects", "the redirects run in a circle at " + target);
    if (visited.size() > static_cast<std::size_t>(request.limits.redirects))
      throw probes::ProbeFailure(
          Outcome::wrong, "too_many_redirects",
          "more than " + std::to_string(request.limits.redirects) + " redirects, the last to " + target);
    came_from = response.peer;
    next = std::move(*onward);
  }
}

}  // namespace vitald::net
