#include "probes/wire/docker_logs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vitald::wire {
namespace {

constexpr std::size_t head_bytes = 8;     // stream, three zeros, length with the most significant byte first
constexpr unsigned char last_stream = 3;  // stdin, stdout, stderr, the engine's own errors

std::uint32_t octet(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

}  // namespace

Result<std::string> docker_log_text(std::string_view frames) {
  std::string text;
  while (frames.size() >= head_bytes) {
    if (octet(frames, 0) > last_stream || octet(frames, 1) != 0 || octet(frames, 2) != 0 || octet(frames, 3) != 0)
      return Failure{"", "no frames of a log"};
    const std::size_t length =
        octet(frames, 4) << 24 | octet(frames, 5) << 16 | octet(frames, 6) << 8 | octet(frames, 7);
    frames.remove_prefix(head_bytes);
    const auto content = frames.substr(0, length);
    text.append(content);
    frames.remove_prefix(content.size());
  }
  if (!frames.empty() && octet(frames, 0) > last_stream) return Failure{"", "no frames of a log"};
  return text;
}

}  // namespace vitald::wire
