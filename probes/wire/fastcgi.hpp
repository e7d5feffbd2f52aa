// FastCGI 1.0 (fastcgi-archives.github.io/FastCGI_Specification.html) as a web server speaks it: one request without a
// body to bytes, records to what the application said, without I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/result.hpp"

namespace vitald::wire {

using FastCgiParams = std::vector<std::pair<std::string, std::string>>;

/// BEGIN_REQUEST for a responder, the parameters, and no body; the application is to close afterwards.
std::string fastcgi_request(const FastCgiParams& params);

struct FastCgiLimits {
  std::size_t output_bytes = 64 * 1024;
  std::size_t error_bytes = 1024;      // more is dropped
  std::size_t all_bytes = 256 * 1024;  // records and padding together
};

/// Bytes in, whatever pieces they come in. After a Failure it is of no more use.
class FastCgiReader {
 public:
  /// How the application ended the request (FCGI_END_REQUEST, protocolStatus).
  enum class End { none, complete, cannot_multiplex, overloaded, unknown_role };

  explicit FastCgiReader(FastCgiLimits limits = {}) : limits_(limits) {}

  /// Failure: no FastCGI, or over a limit; its text says which. Bytes behind the end are ignored.
  Result<void> feed(std::string_view bytes);

  End end() const { return end_; }
  bool begun() const { return taken_ > 0; }              // a byte has come
  const std::string& output() const { return output_; }  // FCGI_STDOUT
  const std::string& errors() const { return errors_; }  // FCGI_STDERR

 private:
  Result<void> take(std::uint8_t type, std::string_view content);

  FastCgiLimits limits_;
  std::string held_;  // the beginning of a record, at most one
  std::size_t taken_ = 0;
  std::string output_, errors_;
  End end_ = End::none;
};

/// What a CGI program prints (RFC 3875 section 6): a header, an empty line, a body.
struct CgiAnswer {
  int status = 200;
  std::string reason = {};  // "Not Found"
  std::string_view body = {};
};
/// `body` points into `output`. Failure: there is no header.
Result<CgiAnswer> cgi_answer(std::string_view output);

}  // namespace vitald::wire
