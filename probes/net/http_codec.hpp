// HTTP/1.x responses out of bytes, whatever pieces they come in. No I/O: http.cpp feeds it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "probes/net/http.hpp"

namespace vitald::net {

class HttpCodec {
 public:
  enum class Problem { none, header_too_large, malformed, closed_early };

  /// Fills `into` (which must outlive it) with everything but the body.
  HttpCodec(HttpResponse& into, bool head_request, const HttpLimits& limits);
  HttpCodec(const HttpCodec&) = delete;
  HttpCodec& operator=(const HttpCodec&) = delete;
  ~HttpCodec();

  Problem feed(std::string_view bytes);
  /// The connection has ended in order.
  Problem end();

  /// The header is in `into`; 1xx do not count.
  bool has_header() const;
  /// Nothing more is wanted: the message is over, or its body reached the limit (`into.truncated`).
  bool complete() const;
  /// What is wrong, in words.
  const std::string& explanation() const;

  /// The body bytes that came since the last call, still encoded; valid until the next feed().
  std::string_view body_piece() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitald::net
