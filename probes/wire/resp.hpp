// RESP2, the protocol of Redis (redis.io/docs/reference/protocol-spec): commands to bytes and bytes to replies, without
// I/O. hiredis's reader does the parsing; what it would allocate on a peer's word alone is refused before it sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.hpp"

namespace vitald::wire {

struct RespReply {
  enum class Type { status, error, integer, bulk, nil, array };
  Type type = Type::nil;
  std::string text = {};              // of status ("OK"), error ("NOAUTH Authentication required.") and bulk
  std::int64_t integer = 0;           // of integer
  std::vector<RespReply> items = {};  // of array

  bool is_error() const { return type == Type::error; }
  /// The first word of an error: "NOAUTH", "LOADING", "ERR"; "" for anything else.
  std::string_view error_word() const;
};

/// `words` as an array of bulk strings; they may hold any bytes.
std::string resp_command(const std::vector<std::string>& words);

struct RespLimits {
  std::size_t reply_bytes = 1 << 20;  // of one reply, everything counted
  std::size_t items = 10'000;         // of all arrays of one reply together
  int depth = 7;                      // of arrays in arrays, hiredis's own
};

/// Bytes in, replies out, in whatever pieces they come. Whole replies are taken with next() after every feed(): what
/// piles up is bounded as well. After a Failure it is of no more use.
class RespReader {
 public:
  explicit RespReader(RespLimits limits = {});
  RespReader(RespReader&&) noexcept;
  RespReader& operator=(RespReader&&) noexcept;
  ~RespReader();

  /// Failure: no RESP2, or over a limit; its text says which.
  Result<void> feed(std::string_view bytes);
  /// The next whole reply; nothing while more bytes are needed.
  Result<std::optional<RespReply>> next();
  /// Everything that came was handed out: the peer has said no more than it was asked.
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitald::wire
