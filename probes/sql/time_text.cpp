#include "probes/sql/time_text.hpp"

#include <date/tz.h>

#include <cmath>

#include "probes/numbers.hpp"

namespace vitald::probes::sql {
namespace {

constexpr double milliseconds_from = 1e11;
constexpr double latest_second = 9e9;  // what a 64-bit count of nanoseconds can say: the year 2255

/// Takes what it has read off the front, so that each step says what is left.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly `digits` of them.
  std::optional<int> number(std::size_t digits) {
    if (rest_.size() < digits) return std::nullopt;
    int value = 0;
    for (const char each : rest_.substr(0, digits)) {
      if (each < '0' || each > '9') return std::nullopt;
      value = value * 10 + (each - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  /// The digits behind a point, as nanoseconds; further ones are dropped.
  std::chrono::nanoseconds fraction() {
    std::int64_t value = 0, unit = 100'000'000;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value += (rest_.front() - '0') * unit;
      unit /= 10;
      rest_.remove_prefix(1);
    }
    return std::chrono::nanoseconds(value);
  }

 private:
  std::string_view rest_;
};

std::optional<date::local_days> read_day(Scanner& in) {
  const auto year = in.number(4);
  if (!year || !in.take('-')) return std::nullopt;
  const auto month = in.number(2);
  if (!month || !in.take('-')) return std::nullopt;
  const auto day = in.number(2);
  if (!day) return std::nullopt;
  const date::year_month_day whole(date::year(*year), date::month(static_cast<unsigned>(*month)),
                                   date::day(static_cast<unsigned>(*day)));
  if (!whole.ok() || *year < 1700 || *year > 2250) return std::nullopt;
  return date::local_days(whole);
}

/// HH:MM[:SS[.fff]]; 24:00 and leap seconds are let through as the arithmetic has them.
std::optional<std::chrono::nanoseconds> read_clock(Scanner& in) {
  const auto hours = in.number(2);
  if (!hours || *hours > 24 || !in.take(':')) return std::nullopt;
  const auto minutes = in.number(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  std::chrono::nanoseconds length = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  if (!in.take(':')) return length;
  const auto seconds = in.number(2);
  if (!seconds || *seconds > 60) return std::nullopt;
  length += std::chrono::seconds(*seconds);
  if (in.take('.')) length += in.fraction();
  return length;
}

/// Z, +HH, +HH:MM, +HHMM, +HH:MM:SS. `well` is false where something else stands there.
std::optional<std::chrono::seconds> read_offset(Scanner& in, bool& well) {
  if (in.take('Z')) return std::chrono::seconds(0);
  const bool minus = in.take('-');
  if (!minus && !in.take('+')) {
    well = in.done();
    return std::nullopt;
  }
  std::chrono::seconds length{0};
  std::chrono::seconds unit = std::chrono::hours(1);
  for (int part = 0; part < 3 && (part == 0 || !in.done()); ++part) {
    if (part > 0) in.take(':');
    const auto value = in.number(2);
    if (!value) {
      well = false;
      return std::nullopt;
    }
    length += *value * unit;
    unit /= 60;
  }
  well = in.done();
  return minus ? -length : length;
}

std::optional<Wall> from_number(double seconds) {
  if (std::abs(seconds) >= milliseconds_from) seconds /= 1000;
  if (!(std::abs(seconds) < latest_second)) return std::nullopt;
  return Wall(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

}  // namespace

std::optional<Wall> read_time(std::string_view text, const date::time_zone* zone) {
  if (const auto number = to_number(text)) return from_number(*number);
  Scanner in(text);
  const auto day = read_day(in);
  if (!day) return std::nullopt;
  date::local_time<Duration> local = *day;
  if (!in.done()) {
    if (!in.take(' ') && !in.take('T')) return std::nullopt;
    const auto clock = read_clock(in);
    if (!clock) return std::nullopt;
    local += *clock;
  }
  in.take(' ');
  bool well = true;
  const auto offset = read_offset(in, well);
  if (!well) return std::nullopt;
  if (offset || zone == nullptr) return Wall(local.time_since_epoch() - offset.value_or(std::chrono::seconds(0)));
  return Wall(zone->to_sys(local, date::choose::earliest).time_since_epoch());
}

}  // namespace vitald::probes::sql
