// HTTP/1.1 requests out of bytes, and answers' heads into bytes (RFC 9112). Sans-I/O; Beast's parser is behind it.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/api.hpp"

namespace vitald::daemon {

/// One request. Only a ping may have a body.
struct HttpAsk {
  std::string method;         // "GET"
  std::string path;           // "/api/v1/checks", as sent: nothing maps to files, so nothing is decoded but the query
  std::string query;          // "check=api-health", undecoded
  std::string host;           // the Host header, one and only one
  std::string token = {};     // of Authorization: Bearer, or of X-Token
  std::string body = {};      // the last most_body_kept bytes of it
  bool foreign_page = false;  // a browser says that a page of another site sends this
  int version = 11;           // 10 or 11
  bool keep_alive = true;

  /// The decoded value of `name` in the query, or "".
  std::string parameter(std::string_view name) const;
};

struct Answer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  Source more = nullptr;  // the rest of the body, where it is made in slices
  std::vector<std::pair<std::string_view, std::string>> headers = {};  // Allow, Retry-After
};

class HttpDecoder {
 public:
  static constexpr std::size_t most_header_bytes = 16 * 1024;
  static constexpr std::size_t most_body_bytes = 1024 * 1024;
  static constexpr std::size_t most_body_kept = 10 * 1024;  // of its end

  enum class State { more, complete, bad };
  HttpDecoder();
  ~HttpDecoder();
  /// Takes what it can from the front of `bytes` (which must hold everything that came since the last complete request)
  /// and drops it there. After `complete` comes ask() and then the next request.
  State feed(std::string& bytes);
  const HttpAsk& ask() const { return ask_; }
  /// Of `bad`: 400, 413, 431 or 505, and a sentence. The connection is of no use afterwards.
  const Answer& refusal() const { return refusal_; }

 private:
  struct Parser;
  /// The head is there: what it may not be is refused before a body is read.
  State judge_head();
  State finish();
  State refuse(int status, std::string sentence);
  State refuse_for(const boost::system::error_code& error);

  std::unique_ptr<Parser> parser_;
  HttpAsk ask_;
  Answer refusal_;
};

/// The head with its blank line. `chunked`: the body follows in chunks; else `length` bytes of it.
struct BodyShape {
  bool chunked = false;
  bool until_close = false;  // to an HTTP/1.0 client, which knows no chunks
  std::size_t length = 0;
};
std::string answer_head(const Answer& answer, const BodyShape& shape, bool keep_alive);
/// One chunk of a chunked body; an empty one ends it.
void append_chunk(std::string& out, std::string_view bytes);

}  // namespace vitald::daemon
