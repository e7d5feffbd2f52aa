#include "probes/wire/amqp.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "probes/wire/amqp_cursor.hpp"

namespace vitald::wire {
namespace {

constexpr std::size_t head_bytes = 7;     // type, channel, size (4.2.3)
constexpr char frame_end = '\xce';        // 4.2.3
constexpr std::size_t version_bytes = 8;  // of a protocol header (4.2.2)
constexpr std::string_view magic = "AMQP";

struct Id {
  std::uint16_t of_class, method;
};
// Classes and methods as the reference (amqp-xml-doc0-9-1.pdf) numbers them.
constexpr Id connection_start_ok{10, 11}, connection_tune_ok{10, 31}, connection_open{10, 40}, connection_close{10, 50},
    connection_close_ok{10, 51}, channel_open{20, 10}, channel_close_ok{20, 41}, queue_declare{50, 10};

bool is_frame_type(char byte) { return byte == 1 || byte == 2 || byte == 3 || byte == 8; }

/// Most significant byte first (4.2.5.1).
template <class Number>
void put(std::string& out, Number number) {
  static_assert(std::is_unsigned_v<Number>);
  for (int shift = std::numeric_limits<Number>::digits - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>((number >> shift) & 0xff));
}

void put_short_text(std::string& out, std::string_view text) {
  text = text.substr(0, 255);
  put(out, static_cast<std::uint8_t>(text.size()));
  out.append(text);
}

void put_long_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

void put_text_field(std::string& table, std::string_view name, std::string_view text) {
  put_short_text(table, name);
  table.push_back('S');
  put_long_text(table, text);
}

void put_flag_field(std::string& table, std::string_view name, bool truth) {
  put_short_text(table, name);
  table.push_back('t');
  table.push_back(truth ? '\1' : '\0');
}

std::string method_frame(std::uint16_t channel, Id id, std::string_view arguments) {
  std::string frame;
  frame.reserve(head_bytes + 4 + arguments.size() + 1);
  frame.push_back(static_cast<char>(AmqpFrame::Type::method));
  put(frame, channel);
  put(frame, static_cast<std::uint32_t>(4 + arguments.size()));
  put(frame, id.of_class);
  put(frame, id.method);
  frame.append(arguments);
  frame.push_back(frame_end);
  return frame;
}

}  // namespace

std::string AmqpVersion::text() const {
  if (major == 1 && minor == 0 && revision == 0) return "1.0";
  if (id == 0) return std::to_string(major) + "-" + std::to_string(minor) + "-" + std::to_string(revision);
  // Before 0-9-1 the header held a class, an instance, and then the version's two numbers: 0-10 is 1 1 0 10.
  return std::to_string(minor) + "-" + std::to_string(revision);
}

void AmqpReader::feed(std::string_view bytes) { buffer_.append(bytes); }

/// Looks at the front of the buffer, however little of it has come.
std::optional<Failure> AmqpReader::problem_of_head() const {
  if (!buffer_.empty() && !is_frame_type(buffer_.front()))
    return Failure{"", "no frame begins with byte " + std::to_string(static_cast<unsigned char>(buffer_.front()))};
  if (buffer_.size() < head_bytes) return std::nullopt;
  const std::size_t size = AmqpCursor(std::string_view(buffer_).substr(3)).long_number();
  if (size > limits_.frame_bytes) {
    return Failure{"", "a frame of " + std::to_string(size) + " bytes, where " + std::to_string(limits_.frame_bytes) +
                           " are the most"};
  }
  const std::size_t end = head_bytes + size;
  if (buffer_.size() > end && buffer_[end] != frame_end) return Failure{"", "a frame does not end where it says"};
  return std::nullopt;
}

Result<std::optional<AmqpFrame>> AmqpReader::next() {
  // A peer that does not speak our version answers with the header of the one that it does speak, and closes (4.2.2).
  const std::string_view front(buffer_.data(), std::min(buffer_.size(), magic.size()));
  if (!begun_ && !front.empty() && front == magic.substr(0, front.size())) {
    if (buffer_.size() < version_bytes) return std::optional<AmqpFrame>();
    AmqpCursor in(std::string_view(buffer_).substr(magic.size()));
    wants_.emplace();
    wants_->id = in.octet();
    wants_->major = in.octet();
    wants_->minor = in.octet();
    wants_->revision = in.octet();
    return Failure{"", "it speaks AMQP " + wants_->text()};
  }
  if (auto problem = problem_of_head()) return std::move(*problem);
  if (buffer_.size() < head_bytes) return std::optional<AmqpFrame>();
  AmqpCursor in{std::string_view(buffer_)};
  AmqpFrame frame;
  frame.type = static_cast<AmqpFrame::Type>(in.octet());
  frame.channel = in.short_number();
  const std::size_t size = in.long_number();
  if (buffer_.size() < head_bytes + size + 1) return std::optional<AmqpFrame>();
  frame.payload = buffer_.substr(head_bytes, size);
  buffer_.erase(0, head_bytes + size + 1);
  begun_ = true;
  return std::optional(std::move(frame));
}

std::string amqp_protocol_header() { return std::string("AMQP\x00\x00\x09\x01", version_bytes); }

std::string amqp_start_ok(std::string_view user, std::string_view password) {
  std::string capabilities;
  put_flag_field(capabilities, "authentication_failure_close", true);
  put_flag_field(capabilities, "connection.blocked", true);
  std::string properties;
  put_text_field(properties, "product", "vitald");
  put_text_field(properties, "connection_name", "vitald");  // what the management's list of connections shows
  put_short_text(properties, "capabilities");
  properties.push_back('F');
  put_long_text(properties, capabilities);

  std::string arguments;
  put_long_text(arguments, properties);
  put_short_text(arguments, "PLAIN");
  std::string response;
  response.append(1, '\0').append(user).append(1, '\0').append(password);
  put_long_text(arguments, response);
  put_short_text(arguments, "en_US");
  return method_frame(0, connection_start_ok, arguments);
}

std::string amqp_tune_ok(const AmqpTune& tune) {
  std::string arguments;
  put(arguments, tune.channel_max);
  put(arguments, tune.frame_max);
  put(arguments, tune.heartbeat);
  return method_frame(0, connection_tune_ok, arguments);
}

std::string amqp_open(std::string_view vhost) {
  std::string arguments;
  put_short_text(arguments, vhost);
  arguments.append(2, '\0');  // two fields that 0-9-1 reserves
  return method_frame(0, connection_open, arguments);
}

std::string amqp_close(std::uint16_t code, std::string_view text) {
  std::string arguments;
  put(arguments, code);
  put_short_text(arguments, text);
  arguments.append(4, '\0');  // class and method of the fault: none
  return method_frame(0, connection_close, arguments);
}

std::string amqp_close_ok() { return method_frame(0, connection_close_ok, ""); }

std::string amqp_channel_open(std::uint16_t channel) {
  return method_frame(channel, channel_open, std::string_view("\0", 1));
}

std::string amqp_channel_close_ok(std::uint16_t channel) { return method_frame(channel, channel_close_ok, ""); }

std::string amqp_declare_passive(std::uint16_t channel, std::string_view queue) {
  std::string arguments(2, '\0');
  put_short_text(arguments, queue);
  arguments.push_back('\1');  // bits, the lowest first (4.2.5.2): passive, durable, exclusive, auto-delete, no-wait
  put_long_text(arguments, "");
  return method_frame(channel, queue_declare, arguments);
}

}  // namespace vitald::wire
