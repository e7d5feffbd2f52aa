// What a broker says in AMQP 0-9-1, as bytes, for scripts: well formed unless a test wants it otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vitald::testing::amqp {

inline std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
  return out;
}
inline std::string short_text(std::string_view text) { return number(text.size(), 1).append(text); }
inline std::string long_text(std::string_view text) { return number(text.size(), 4).append(text); }
inline std::string field(std::string_view name, char type, std::string_view value) {
  return short_text(name).append(1, type).append(value);
}

inline std::string frame(int type, int channel, std::string_view payload) {
  return number(static_cast<std::uint64_t>(type), 1)
      .append(number(static_cast<std::uint64_t>(channel), 2))
      .append(long_text(payload))
      .append("\xce");
}
inline std::string method(int channel, unsigned of_class, unsigned id, std::string_view arguments) {
  return frame(1, channel, number(of_class, 2).append(number(id, 2)).append(arguments));
}

/// As RabbitMQ 3.10 sends it, shortened.
inline std::string server_properties() {
  const std::string capabilities = field("connection.blocked", 't', "\1") + field("basic.nack", 't', "\1");
  return field("capabilities", 'F', long_text(capabilities)) + field("cluster_name", 'S', long_text("rabbit@mq-1")) +
         field("product", 'S', long_text("RabbitMQ")) + field("version", 'S', long_text("3.10.8"));
}
inline std::string start(std::string_view properties, std::string_view mechanisms = "PLAIN AMQPLAIN",
                         std::string_view version = std::string_view("\0\11", 2)) {
  return method(0, 10, 10, std::string(version) + long_text(properties) + long_text(mechanisms) + long_text("en_US"));
}
inline std::string start() { return start(server_properties()); }
inline std::string tune(unsigned channels = 2047, unsigned frame_max = 131072, unsigned heartbeat = 60) {
  return method(0, 10, 30, number(channels, 2) + number(frame_max, 4) + number(heartbeat, 2));
}
inline std::string open_ok() { return method(0, 10, 41, short_text("")); }
inline std::string close(unsigned code, std::string_view text) {
  return method(0, 10, 50, number(code, 2) + short_text(text) + number(0, 4));
}
inline std::string close_ok() { return method(0, 10, 51, ""); }
inline std::string blocked(std::string_view why) { return method(0, 10, 60, short_text(why)); }
inline std::string unblocked() { return method(0, 10, 61, ""); }
inline std::string channel_open_ok() { return method(1, 20, 11, number(0, 4)); }
inline std::string channel_close(unsigned code, std::string_view text) {
  return method(1, 20, 40, number(code, 2) + short_text(text) + number(50, 2) + number(10, 2));
}
inline std::string declare_ok(std::string_view queue, unsigned messages, unsigned consumers) {
  return method(1, 50, 11, short_text(queue) + number(messages, 4) + number(consumers, 4));
}
inline std::string heartbeat() { return frame(8, 0, ""); }

}  // namespace vitald::testing::amqp
