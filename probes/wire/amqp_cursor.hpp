// Takes AMQP's data fields (4.2.5) off the front of a text. What is not there any more reads as zero or "", and good()
// says so afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vitald::wire {

class AmqpCursor {
 public:
  explicit AmqpCursor(std::string_view bytes) : rest_(bytes) {}

  bool good() const { return good_; }
  bool empty() const { return rest_.empty(); }
  std::uint8_t octet() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t short_number() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t long_number() { return number(4); }
  std::string_view short_text() { return bytes(octet()); }
  std::string_view long_text() { return bytes(long_number()); }
  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) {
      good_ = false;
      rest_ = {};
    }
    if (!good_) return {};
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

 private:
  /// Most significant byte first (4.2.5.1).
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const char byte : bytes(size)) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace vitald::wire
