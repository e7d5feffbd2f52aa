// AMQP 0-9-1, the protocol of RabbitMQ (amqp0-9-1.pdf, the specification; section numbers are its own): bytes to
// frames, frames to the few methods that a monitor meets, and the methods that it sends, without I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "config/result.hpp"

namespace vitald::wire {

/// Nothing is allocated on a peer's word alone: what goes beyond is a Failure before its bytes are waited for.
struct AmqpLimits {
  std::size_t frame_bytes = 64 * 1024;  // of one frame's payload
  int table_depth = 8;                  // tables and arrays within each other
  std::size_t table_fields = 256;       // of one table with everything in it
  std::size_t text_bytes = 256;         // kept of a text; the rest is dropped
};

struct AmqpFrame {
  enum class Type : std::uint8_t { method = 1, header = 2, body = 3, heartbeat = 8 };
  Type type = Type::method;
  std::uint16_t channel = 0;
  std::string payload;
};

/// The four bytes behind "AMQP" in a protocol header (4.2.2).
struct AmqpVersion {
  std::uint8_t id = 0, major = 0, minor = 0, revision = 0;
  std::string text() const;  // "0-9-1", "1.0"
};

/// Bytes in, frames out, in whatever pieces they come. After a Failure it is of no more use. Who takes out every frame
/// before the next bytes go in holds no more than one frame and those bytes.
class AmqpReader {
 public:
  explicit AmqpReader(AmqpLimits limits = {}) : limits_(limits) {}

  void feed(std::string_view bytes);
  /// The next whole frame; nothing while more bytes are needed. Failure: no AMQP, or over a limit; its text says which.
  Result<std::optional<AmqpFrame>> next();
  /// After a Failure: the version that the peer wants instead, where it answered with a protocol header.
  const std::optional<AmqpVersion>& wants() const { return wants_; }
  /// After a Failure: the bytes that are no frame.
  std::string_view rest() const { return buffer_; }
  /// Whether a frame has come.
  bool begun() const { return begun_; }

 private:
  std::optional<Failure> problem_of_head() const;

  AmqpLimits limits_;
  std::string buffer_;
  std::optional<AmqpVersion> wants_;
  bool begun_ = false;
};

// What a broker says. Texts are as sent, cut to AmqpLimits::text_bytes.

struct AmqpStart {
  std::uint8_t major = 0, minor = 0;
  std::string product, version, cluster_name;  // of the server properties; "" where they do not say
  std::string mechanisms;                      // "PLAIN AMQPLAIN"

  bool offers(std::string_view mechanism) const;
};
struct AmqpTune {
  std::uint16_t channel_max = 0;  // 0: no limit
  std::uint32_t frame_max = 0;    // 0: no limit
  std::uint16_t heartbeat = 0;    // seconds; 0: none
};
struct AmqpOpenOk {};
struct AmqpClose {
  std::uint16_t code = 0;
  std::string text;  // "ACCESS_REFUSED - Login was refused …"
};
struct AmqpCloseOk {};
struct AmqpBlocked {
  std::string why;
};
struct AmqpUnblocked {};
struct AmqpChannelOpenOk {};
struct AmqpChannelClose {
  std::uint16_t code = 0;
  std::string text;
};
struct AmqpDeclareOk {
  std::string queue;
  std::uint32_t messages = 0;  // ready: those at consumers do not count
  std::uint32_t consumers = 0;
};
struct AmqpHeartbeat {};
/// Another method, or content.
struct AmqpOther {
  std::uint16_t class_id = 0, method_id = 0;
};

using AmqpMessage = std::variant<AmqpOther, AmqpHeartbeat, AmqpStart, AmqpTune, AmqpOpenOk, AmqpClose, AmqpCloseOk,
                                 AmqpBlocked, AmqpUnblocked, AmqpChannelOpenOk, AmqpChannelClose, AmqpDeclareOk>;

/// Failure: the frame is cut short, or a table in it is broken or over a limit.
Result<AmqpMessage> amqp_decode(const AmqpFrame& frame, const AmqpLimits& limits = {});

// What a monitor says. Names are at most 255 bytes (a shortstr, 4.2.5.3); the rest of a longer one is left out.

std::string amqp_protocol_header();
/// SASL PLAIN (RFC 4616); says that a refused login is to be told (authentication_failure_close), and asks to be told
/// when the broker blocks (connection.blocked).
std::string amqp_start_ok(std::string_view user, std::string_view password);
std::string amqp_tune_ok(const AmqpTune& tune);
std::string amqp_open(std::string_view vhost);
std::string amqp_close(std::uint16_t code, std::string_view text);
std::string amqp_close_ok();
std::string amqp_channel_open(std::uint16_t channel);
std::string amqp_channel_close_ok(std::uint16_t channel);
/// Asks for a queue that exists, and creates none.
std::string amqp_declare_passive(std::uint16_t channel, std::string_view queue);

}  // namespace vitald::wire
