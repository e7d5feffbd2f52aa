#include "probes/wire/amp.hpp"

#include <utility>

namespace vitald::wire {
namespace {

constexpr std::size_t length_bytes = 4;

std::size_t length_at(std::string_view bytes, std::size_t at) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return length;
}

unsigned arguments_of(std::string_view bytes) { return static_cast<std::uint8_t>(bytes[0]) & 0x0fu; }

}  // namespace

AmpMessage::AmpMessage(std::string bytes) : bytes_(std::move(bytes)) {
  std::size_t at = 1;
  for (unsigned i = 0; i < arguments_of(bytes_); ++i) {
    const std::size_t length = length_at(bytes_, at);
    arguments_.push_back({at + length_bytes, length});
    at += length_bytes + length;
  }
}

std::string_view AmpMessage::argument(std::size_t index) const {
  return std::string_view(bytes_).substr(arguments_[index].at, arguments_[index].length);
}

std::optional<std::string_view> AmpMessage::json(std::size_t index) const {
  if (index >= arguments_.size() || !argument(index).starts_with("j:")) return std::nullopt;
  return argument(index).substr(2);
}

/// Goes over the lengths that are here, from where it stopped the last time. True: a whole message is here.
Result<bool> AmpReader::measure() {
  if (buffer_.empty()) return false;
  const unsigned head = static_cast<std::uint8_t>(buffer_[0]);
  if (head >> 4 != 1) return Failure{"", "the answer is no AMP message of version 1"};
  const unsigned wanted = arguments_of(buffer_);
  if (wanted == 0) return Failure{"", "the answer is an AMP message without arguments"};
  if (measured_ == 0) end_ = 1;
  while (measured_ < wanted) {
    if (buffer_.size() < end_ + length_bytes) return false;
    const std::size_t length = length_at(buffer_, end_);
    if (length > most_ || end_ + length_bytes + length > most_)
      return Failure{"", "the answer is longer than " + std::to_string(most_ >> 10) + " KiB"};
    end_ += length_bytes + length;
    measured_ += 1;
  }
  return buffer_.size() >= end_;
}

Result<std::optional<AmpMessage>> AmpReader::next() {
  const auto whole = measure();
  if (!whole) return whole.failure();
  if (!*whole) return std::optional<AmpMessage>();
  std::string rest = buffer_.substr(end_);
  buffer_.resize(end_);
  AmpMessage message(std::move(buffer_));
  buffer_ = std::move(rest);
  end_ = 0;
  measured_ = 0;
  return std::optional<AmpMessage>(std::move(message));
}

}  // namespace vitald::wire
