#include "probes/net/http_codec.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <limits>
#include <optional>

namespace vitald::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

/// Beast's parser with nothing of Beast's message containers: fields go straight where they stay.
class Parser final : public http::basic_parser<false> {
 public:
  Parser(HttpResponse& into, std::string& piece, const HttpLimits& limits, bool head_request)
      : into_(into), piece_(piece), room_(limits.body_bytes) {
    constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
    header_limit(static_cast<std::uint32_t>(std::min(limits.header_bytes, most)));
    body_limit(boost::none);  // a body that is too long is cut, not refused
    eager(true);
    skip(head_request);
  }

  bool interim() const { return into_.status / 100 == 1 && into_.status != 101; }
  /// A body of exactly the limit is whole: only a byte beyond it makes it truncated.
  bool cut() const { return into_.truncated; }
  std::size_t room() const { return room_; }

 private:
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}

  void on_response_impl(int code, string_view reason, int version, error_code&) override {
    into_.status = code;
    into_.reason.assign(reason.data(), reason.size());
    into_.version = version;
    into_.headers.clear();
  }

  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    if (header_over_) return;  // trailers say nothing that anybody here asks for
    if (into_.headers.empty()) into_.headers.reserve(8);
    into_.headers.emplace_back(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }

  void on_header_impl(error_code&) override { header_over_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(string_view body, error_code&) override { return take(body); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override { return take(body); }
  void on_finish_impl(error_code&) override {}

  std::size_t take(string_view body) {
    const auto count = std::min(body.size(), room_);
    piece_.append(body.data(), count);
    room_ -= count;
    if (count < body.size()) into_.truncated = true;
    return body.size();
  }

  HttpResponse& into_;
  std::string& piece_;
  std::size_t room_;
  bool header_over_ = false;
};

}  // namespace

struct HttpCodec::State {
  HttpResponse& into;
  const HttpLimits& limits;
  bool head_request;
  std::string piece = {};
  std::string left_over = {};  // an incomplete header or chunk header: Beast wants it in one buffer
  std::string explanation = {};
  int interim = 0;
  std::optional<Parser> parser = {};

  Problem put(std::string_view& bytes);
  Problem failed(const error_code& error);
};

HttpCodec::HttpCodec(HttpResponse& into, bool head_request, const HttpLimits& limits)
    : state_(new State{into, limits, head_request}) {
  state_->parser.emplace(into, state_->piece, limits, head_request);
}

HttpCodec::~HttpCodec() = default;

HttpCodec::Problem HttpCodec::State::failed(const error_code& error) {
  if (error == http::error::header_limit) {
    explanation = "the header is larger than " + std::to_string(limits.header_bytes) + " bytes";
    return Problem::header_too_large;
  }
  explanation = "the answer is not HTTP/1.1: " + error.message();
  return Problem::malformed;
}

/// Parses what can be parsed and takes it off `bytes`.
HttpCodec::Problem HttpCodec::State::put(std::string_view& bytes) {
  while (!bytes.empty() && !parser->is_done() && !parser->cut()) {
    error_code error;
    const auto taken = parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(taken);
    if (error == http::error::need_more) return Problem::none;
    if (error) return failed(error);
    if (!parser->is_done() || !parser->interim()) continue;
    if (++interim > limits.interim_responses) {
      explanation = "more than " + std::to_string(limits.interim_responses) + " interim (1xx) answers";
      return Problem::malformed;
    }
    parser.emplace(into, piece, limits, head_request);
  }
  return Problem::none;
}

HttpCodec::Problem HttpCodec::feed(std::string_view bytes) {
  auto& state = *state_;
  state.piece.clear();
  if (state.left_over.empty()) {
    const auto problem = state.put(bytes);
    state.left_over.assign(bytes);
    return problem;
  }
  state.left_over.append(bytes);
  std::string_view all = state.left_over;
  const auto problem = state.put(all);
  state.left_over.erase(0, state.left_over.size() - all.size());
  return problem;
}

HttpCodec::Problem HttpCodec::end() {
  auto& state = *state_;
  state.piece.clear();
  if (complete()) return Problem::none;
  error_code error;
  if (state.parser->got_some()) state.parser->put_eof(error);
  if (!error && state.parser->is_done() && !state.parser->interim()) return Problem::none;
  state.explanation = !has_header() ? "the connection was closed before the answer was complete"
                                    : "the connection was closed before the body was complete";
  if (!state.parser->got_some() && state.left_over.empty())
    state.explanation = "the connection was closed without an answer";
  return Problem::closed_early;
}

bool HttpCodec::has_header() const { return state_->parser->is_header_done() && !state_->parser->interim(); }

bool HttpCodec::complete() const {
  return state_->parser->cut() || (state_->parser->is_done() && !state_->parser->interim());
}

const std::string& HttpCodec::explanation() const { return state_->explanation; }

std::string_view HttpCodec::body_piece() const { return state_->piece; }

}  // namespace vitald::net
