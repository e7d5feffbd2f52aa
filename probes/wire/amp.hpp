// AMP, the framing of pm2's sockets (npm: amp, amp-message): bytes to messages, without I/O.
//
//   byte 0        0x10 | number of arguments (1 to 15)
//   an argument   its length in 4 bytes, the greatest first; then "j:" and JSON, "s:" and text, or anything
//
// There is no encoder on purpose: what a probe may say to pm2 is one fixed text (probes/pm2.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.hpp"

namespace vitald::wire {

/// Keeps the bytes as they came: a message may be large, and hold what should not lie about in copies.
class AmpMessage {
 public:
  /// `bytes` are one whole message.
  explicit AmpMessage(std::string bytes);

  std::size_t size() const { return arguments_.size(); }
  /// As sent, "j:" and "s:" included.
  std::string_view argument(std::size_t index) const;
  /// The JSON of that argument; nothing where it is absent or is none.
  std::optional<std::string_view> json(std::size_t index) const;

 private:
  struct Place {
    std::size_t at, length;
  };
  std::string bytes_;
  std::vector<Place> arguments_;
};

/// Bytes in, messages out, in whatever pieces they come. It holds what came, at most one message and one piece: nothing
/// is allocated on a peer's word. After a Failure it is of no more use.
class AmpReader {
 public:
  explicit AmpReader(std::size_t most_bytes) : most_(most_bytes) {}

  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// The next whole message; nothing while more bytes are needed. Failure: no AMP, or more than `most_bytes`, told from
  /// the lengths before the bytes are here.
  Result<std::optional<AmpMessage>> next();
  std::size_t held() const { return buffer_.size(); }

 private:
  Result<bool> measure();

  std::size_t most_;
  std::string buffer_;
  std::size_t end_ = 0;    // of the argument that was measured last
  unsigned measured_ = 0;  // arguments whose length is known and within the limit
};

}  // namespace vitald::wire
