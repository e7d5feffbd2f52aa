#include "alerting/trace.hpp"

#include <algorithm>
#include <charconv>

#include "alerting/check_state.hpp"
#include "alerting/incident.hpp"
#include "alerting/limit_words.hpp"

namespace vitald::alerting {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t text_max = 400;

std::string one_line(std::string_view text) {
  std::string line = bounded(text, text_max);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char byte) { return byte < 0x20; }, ' ');
  return line;
}

std::string milliseconds_of(Wall at) {
  return std::to_string(std::chrono::floor<milliseconds>(at).time_since_epoch().count());
}

/// The number in front of a blank, which is taken with it; nothing where there is none.
std::optional<std::int64_t> take_number(std::string_view& line) {
  std::int64_t number = 0;
  const auto read = std::from_chars(line.data(), line.data() + line.size(), number);
  const auto length = static_cast<std::size_t>(read.ptr - line.data());
  if (read.ec != std::errc{} || length >= line.size() || line[length] != ' ') return std::nullopt;
  line.remove_prefix(length + 1);
  return number;
}

std::optional<Wall> take_time(std::string_view& line) {
  constexpr std::int64_t most = std::int64_t{200} * 365 * 86'400 * 1000;  // 200 years of milliseconds fit a Wall
  const auto number = take_number(line);
  if (!number || *number < -most || *number > most) return std::nullopt;
  return Wall(milliseconds(*number));
}

}  // namespace

void Trace::add(Wall at, std::string_view text) {
  Reason said{at, at, 1, one_line(text)};
  for (std::size_t back = 1; back <= std::min<std::size_t>(2, reasons_.size()); ++back) {
    const auto before = reasons_.end() - static_cast<std::ptrdiff_t>(back);
    if (before->text != said.text) continue;
    said.first = before->first;
    said.times = std::min(before->times + 1, 1'000'000);
    bytes_ -= before->text.size();
    reasons_.erase(before);
    break;
  }
  bytes_ += said.text.size();
  reasons_.push_back(std::move(said));
  keep_within_bounds();
}

void Trace::keep_within_bounds() {
  while (reasons_.size() > bounds_.lines || (bytes_ > bounds_.bytes && reasons_.size() > 1)) {
    const std::size_t goes = reasons_.size() > bounds_.first + 1 ? bounds_.first : 0;
    bytes_ -= reasons_[goes].text.size();
    reasons_.erase(reasons_.begin() + static_cast<std::ptrdiff_t>(goes));
    ++dropped_;
  }
}

void Trace::clear() {
  reasons_.clear();
  bytes_ = dropped_ = 0;
}

std::string Trace::to_text() const {
  std::string text;
  text.reserve(bytes_ + 40 * reasons_.size());
  for (const Reason& reason : reasons_) {
    text += milliseconds_of(reason.first) + " " + milliseconds_of(reason.at) + " " + std::to_string(reason.times) + " ";
    text += reason.text + "\n";
  }
  return text;
}

void Trace::read(std::string_view text) {
  clear();
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto first = take_time(line);
    const auto at = first ? take_time(line) : std::nullopt;
    const auto times = at ? take_number(line) : std::nullopt;
    if (!times || *times < 1 || *times > 1'000'000 || line.empty()) continue;
    reasons_.push_back({*at, *first, static_cast<int>(*times), one_line(line)});
    bytes_ += reasons_.back().text.size();
    keep_within_bounds();
  }
  dropped_ = 0;
}

void explain(const Turn& turn, CheckState& check, std::string_view text) { check.trace.add(turn.now.wall, text); }
void explain(const Turn& turn, Incident& incident, std::string_view text) {
  incident.timeline.add(turn.now.wall, text);
}

}  // namespace vitald::alerting
