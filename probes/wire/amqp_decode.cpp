#include <algorithm>

#include "probes/wire/amqp.hpp"
#include "probes/wire/amqp_cursor.hpp"

namespace vitald::wire {
namespace {

constexpr std::uint32_t id(std::uint16_t of_class, std::uint16_t method) {
  return static_cast<std::uint32_t>(of_class) << 16 | method;
}

/// Walks through a field table (4.2.5.5) without building one, and shows the texts at its top to whoever wants them.
class TableWalk {
 public:
  explicit TableWalk(const AmqpLimits& limits) : limits_(limits) {}

  template <class Text>
  bool table(std::string_view bytes, Text text) {
    AmqpCursor in(bytes);
    while (in.good() && !in.empty()) {
      const std::string_view name = in.short_text();
      const char type = static_cast<char>(in.octet());
      if (type == 'S') {
        const std::string_view value = in.long_text();
        if (!in.good()) return broken();
        if (!count()) return false;
        text(name, value);
      } else if (!value(in, type)) {
        return false;
      }
    }
    return in.good() || broken();
  }

  const std::string& error() const { return error_; }

 private:
  bool broken() {
    error_ = "a table is cut short";
    return false;
  }

  bool count() {
    fields_ += 1;
    if (fields_ > limits_.table_fields)
      error_ = "a table has more than " + std::to_string(limits_.table_fields) + " fields";
    return error_.empty();
  }

  bool nested(std::string_view bytes, bool named) {
    if (depth_ + 1 >= limits_.table_depth) {
      error_ = "tables are nested more than " + std::to_string(limits_.table_depth) + " deep";
      return false;
    }
    depth_ += 1;
    AmqpCursor in(bytes);
    while (in.good() && !in.empty()) {
      if (named) in.short_text();
      const char type = static_cast<char>(in.octet());
      if (!value(in, type)) return false;
    }
    depth_ -= 1;
    return in.good() || broken();
  }

  /// The types as RabbitMQ and its clients use them (rabbitmq.com/amqp-0-9-1-errata), where the specification and its
  /// first implementations differ: 's' is a number of two bytes, no text.
  bool value(AmqpCursor& in, char type) {
    if (!in.good()) return broken();
    if (!count()) return false;
    switch (type) {
      case 'V':
        return true;
      case 't':
      case 'b':
      case 'B':
        return skip(in, 1);
      case 's':
      case 'u':
      case 'U':
        return skip(in, 2);
      case 'I':
      case 'i':
      case 'f':
        return skip(in, 4);
      case 'D':
        return skip(in, 5);
      case 'l':
      case 'L':
      case 'd':
      case 'T':
        return skip(in, 8);
      case 'S':
      case 'x':
        return skip(in, in.long_number());
      case 'F':
      case 'A': {
        const std::string_view inner = in.long_text();
        return in.good() ? nested(inner, type == 'F') : broken();
      }
      default:
        error_ = "a table holds a field of the unknown type " + std::to_string(static_cast<unsigned char>(type));
        return false;
    }
  }

  bool skip(AmqpCursor& in, std::size_t size) {
    in.bytes(size);
    return in.good() || broken();
  }

  const AmqpLimits& limits_;
  std::string error_;
  std::size_t fields_ = 0;
  int depth_ = 0;
};

Result<AmqpMessage> decode_start(AmqpCursor& in, const AmqpLimits& limits) {
  AmqpStart start;
  start.major = in.octet();
  start.minor = in.octet();
  const auto keep = [&](std::string_view text) { return std::string(text.substr(0, limits.text_bytes)); };
  TableWalk walk(limits);
  const bool fine = walk.table(in.long_text(), [&](std::string_view name, std::string_view value) {
    if (name == "product") start.product = keep(value);
    if (name == "version") start.version = keep(value);
    if (name == "cluster_name") start.cluster_name = keep(value);
  });
  if (!fine) return Failure{"", walk.error()};
  start.mechanisms = keep(in.long_text());
  return AmqpMessage(std::move(start));
}

AmqpTune decode_tune(AmqpCursor& in) {
  AmqpTune tune;
  tune.channel_max = in.short_number();
  tune.frame_max = in.long_number();
  tune.heartbeat = in.short_number();
  return tune;
}

template <class Close>
Close decode_close(AmqpCursor& in, const AmqpLimits& limits) {
  Close close;
  close.code = in.short_number();
  close.text = in.short_text().substr(0, limits.text_bytes);
  in.bytes(4);  // class and method of what failed
  return close;
}

AmqpDeclareOk decode_declare_ok(AmqpCursor& in, const AmqpLimits& limits) {
  AmqpDeclareOk declared;
  declared.queue = in.short_text().substr(0, limits.text_bytes);
  declared.messages = in.long_number();
  declared.consumers = in.long_number();
  return declared;
}

Result<AmqpMessage> decode_method(AmqpCursor& in, const AmqpLimits& limits) {
  const std::uint16_t of_class = in.short_number();
  const std::uint16_t method = in.short_number();
  switch (id(of_class, method)) {
    case id(10, 10):
      return decode_start(in, limits);
    case id(10, 30):
      return AmqpMessage(decode_tune(in));
    case id(10, 41):
      return AmqpMessage(AmqpOpenOk{});
    case id(10, 50):
      return AmqpMessage(decode_close<AmqpClose>(in, limits));
    case id(10, 51):
      return AmqpMessage(AmqpCloseOk{});
    case id(10, 60):  // an extension of RabbitMQ: rabbitmq.com/connection-blocked
      return AmqpMessage(AmqpBlocked{std::string(in.short_text().substr(0, limits.text_bytes))});
    case id(10, 61):
      return AmqpMessage(AmqpUnblocked{});
    case id(20, 11):
      return AmqpMessage(AmqpChannelOpenOk{});
    case id(20, 40):
      return AmqpMessage(decode_close<AmqpChannelClose>(in, limits));
    case id(50, 11):
      return AmqpMessage(decode_declare_ok(in, limits));
    default:
      return AmqpMessage(AmqpOther{of_class, method});
  }
}

}  // namespace

bool AmqpStart::offers(std::string_view mechanism) const {
  std::string_view rest = mechanisms;
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find(' '));
    if (word == mechanism) return true;
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return false;
}

Result<AmqpMessage> amqp_decode(const AmqpFrame& frame, const AmqpLimits& limits) {
  if (frame.type == AmqpFrame::Type::heartbeat) return AmqpMessage(AmqpHeartbeat{});
  if (frame.type != AmqpFrame::Type::method) return AmqpMessage(AmqpOther{});
  AmqpCursor in{std::string_view(frame.payload)};
  auto message = decode_method(in, limits);
  if (message && !in.good()) return Failure{"", "a method is cut short"};
  return message;
}

}  // namespace vitald::wire
