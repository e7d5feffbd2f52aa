#include "config/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "config/shown.hpp"

namespace vitald {
namespace {

template <class Amount>
struct UnitWord {
  std::string_view word;
  Amount amount;
};

constexpr std::array<UnitWord<std::int64_t>, 8> duration_units = {{
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
    {"w", 604'800'000'000'000},
}};
constexpr std::int64_t longest_duration = 3650 * 86'400'000'000'000;

constexpr std::array<UnitWord<double>, 9> byte_units = {{
    {"B", 1},
    {"kB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"KiB", 1024.0},
    {"MiB", 1024.0 * 1024},
    {"GiB", 1024.0 * 1024 * 1024},
    {"TiB", 1024.0 * 1024 * 1024 * 1024},
}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Cuts "12.5" off the front of `text`; nothing when it does not begin with a plain decimal number.
std::optional<double> take_decimal(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end == 0) return std::nullopt;
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
    ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
  }
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + end, value);
  if (parsed.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(end);
  return value;
}

std::string_view take_word(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && is_letter(text[end])) ++end;
  const auto word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

template <class Table>
auto find_unit(const Table& table, std::string_view word) {
  auto row = table.begin();
  while (row != table.end() && row->word != word) ++row;
  return row;
}

Failure bad_duration(std::string_view text) {
  return {"", "expected a duration such as 30s (units: ns, us, ms, s, m, h, d, w)" + config::but_found(text)};
}

/// `value` with at most `decimals` digits behind the point, trailing zeros dropped.
std::string fixed(double value, int decimals) {
  std::array<char, 400> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
  std::string text(buffer.data(), end.ptr);
  if (text.find('.') != std::string::npos) {
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string pair_of(std::int64_t big, std::string_view big_unit, std::int64_t small, std::string_view small_unit) {
  std::string text = std::to_string(big) + " " + std::string(big_unit);
  if (small != 0) text += " " + std::to_string(small) + " " + std::string(small_unit);
  return text;
}

std::string digits(std::int64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

struct Calendar {
  std::string date, time;
  std::int64_t milliseconds;
};

Calendar calendar(Wall at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::milliseconds>(at - day));
  return {digits(int(date.year()), 4) + "-" + digits(unsigned(date.month()), 2) + "-" + digits(unsigned(date.day()), 2),
          digits(time.hours().count(), 2) + ":" + digits(time.minutes().count(), 2) + ":" +
              digits(time.seconds().count(), 2),
          time.subseconds().count()};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  double total = 0;
  std::int64_t exact = 0;  // a double holds whole nanoseconds only up to 104 days
  while (!rest.empty() || text.empty()) {
    const auto amount = take_decimal(rest);
    if (!amount) return bad_duration(text);
    const auto unit = find_unit(duration_units, take_word(rest));
    if (unit == duration_units.end()) return bad_duration(text);
    total += *amount * static_cast<double>(unit->amount);
    if (total > static_cast<double>(longest_duration)) {
      return Failure{"", "expected a duration of at most 3650d" + config::but_found(text)};
    }
    const auto whole = static_cast<std::int64_t>(*amount);
    exact +=
        whole * unit->amount + std::llround((*amount - static_cast<double>(whole)) * static_cast<double>(unit->amount));
  }
  return Duration(exact);
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::string_view rest = text;
  const auto amount = take_decimal(rest);
  const auto unit = find_unit(byte_units, take_word(rest));
  if (!amount || unit == byte_units.end() || !rest.empty()) {
    return Failure{
        "", "expected a size such as 10GiB (units: B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)" + config::but_found(text)};
  }
  const double bytes = std::round(*amount * unit->amount);
  if (bytes > 9e18) return Failure{"", "expected a size below 8000000TiB" + config::but_found(text)};
  return static_cast<std::uint64_t>(bytes);
}

Result<double> parse_ratio(std::string_view text) {
  std::string_view rest = text;
  const auto amount = take_decimal(rest);
  if (!amount || rest != "%" || *amount > 1e9)
    return Failure{"", "expected a percentage such as 85%" + config::but_found(text)};
  return *amount / 100;
}

Result<double> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view rest = text.substr(negative ? 1 : 0);
  const auto amount = take_decimal(rest);
  double value = amount.value_or(0);
  bool whole = amount.has_value() && rest.empty();
  if (amount && !rest.empty() && (rest[0] == 'e' || rest[0] == 'E')) {
    const char* begin = text.data() + (negative ? 1 : 0);
    const auto parsed = std::from_chars(begin, text.data() + text.size(), value);
    whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  }
  if (!whole || !std::isfinite(value)) return Failure{"", "expected a number such as 500" + config::but_found(text)};
  return negative ? -value : value;
}

std::string say_duration(Duration length) {
  if (length < Duration::zero()) return "-" + say_duration(length == Duration::min() ? Duration::max() : -length);
  const auto ns = length.count();
  if (ns == 0) return "0 s";
  if (ns < 1'000) return std::to_string(ns) + " ns";
  const auto scaled = [&](double unit) {
    const double value = static_cast<double>(ns) / unit;
    return fixed(value, value < 9.95 ? 1 : 0);
  };
  if (ns < 999'500) return scaled(1e3) + " us";
  if (ns < 999'500'000) return scaled(1e6) + " ms";
  if (ns < 9'950'000'000) return scaled(1e9) + " s";
  const auto rounded = [&](std::int64_t unit) { return ns / unit + (ns % unit >= unit / 2 ? 1 : 0); };
  const auto seconds = rounded(1'000'000'000);
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return pair_of(seconds / 60, "min", seconds % 60, "s");
  const auto minutes = rounded(60'000'000'000);
  if (minutes < 24 * 60) return pair_of(minutes / 60, "h", minutes % 60, "min");
  const auto hours = rounded(3'600'000'000'000);
  return pair_of(hours / 24, "d", hours % 24, "h");
}

std::string say_bytes(double bytes) {
  if (bytes < 0) return "-" + say_bytes(-bytes);
  constexpr std::array<std::string_view, 7> units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (unit + 1 < units.size() && bytes >= 1023.5) {
    bytes /= 1024;
    ++unit;
  }
  return fixed(bytes, unit == 0 || bytes >= 99.95 ? 0 : 1) + " " + std::string(units[unit]);
}

std::string say_number(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return std::isnan(value) ? "not a number" : value > 0 ? "infinity" : "-infinity";
  if (size != 0 && (size < 1e-6 || size >= 1e15)) {
    std::array<char, 64> buffer;
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific, 2);
    return {buffer.data(), end.ptr};
  }
  int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  for (double edge = 0.9995; size != 0 && size < edge; edge /= 10) ++decimals;
  return fixed(value, decimals);
}

std::string say_ratio(double ratio) { return fixed(ratio * 100, 1) + " %"; }

std::string say_time(Wall at, bool with_date) {
  const Calendar parts = calendar(at);
  return (with_date ? parts.date + " " : "") + parts.time + " UTC";
}

std::string rfc3339(Wall at) {
  const Calendar parts = calendar(at);
  return parts.date + "T" + parts.time + "." + digits(parts.milliseconds, 3) + "Z";
}

std::string config_duration(Duration length) {
  if (length == Duration::zero()) return "0s";
  for (const std::string_view word : {"d", "h", "m", "s", "ms", "us"}) {
    const auto unit = find_unit(duration_units, word)->amount;
    if (length.count() % unit == 0) return std::to_string(length.count() / unit) + std::string(word);
  }
  return std::to_string(length.count()) + "ns";
}

}  // namespace vitald
