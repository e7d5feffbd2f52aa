// judge_by_status(): what a status code says where the vendor says nothing of its own (RFC 9110 section 15, RFC 6585).
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "alerting/notifiers/notifier.hpp"
#include "alerting/notifiers/text.hpp"

namespace vitald::alerting {
namespace {

constexpr Duration longest_wish = std::chrono::hours(1);

bool one_of(int status, std::initializer_list<int> codes) {
  return std::find(codes.begin(), codes.end(), status) != codes.end();
}

bool number(std::string_view text, int& value) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7); the two forms that it calls obsolete count as absent.
std::optional<Wall> http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT" || text[19] != ':' || text[22] != ':') return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  int day = 0, year = 0, hour = 0, minute = 0, second = 0;
  const bool numbers = number(text.substr(5, 2), day) && number(text.substr(12, 4), year) &&
                       number(text.substr(17, 2), hour) && number(text.substr(20, 2), minute) &&
                       number(text.substr(23, 2), second);
  if (!numbers || month == months.end()) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || year < 1970 || year > 2200 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60) {
    return std::nullopt;
  }
  return Wall(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

}  // namespace

std::optional<Duration> retry_after(const Headers& headers, const Now& now) {
  const std::string* value = find_header(headers, "retry-after");
  if (value == nullptr || value->empty()) return std::nullopt;
  if (std::all_of(value->begin(), value->end(), [](char c) { return c >= '0' && c <= '9'; })) {
    int seconds = 0;
    // More digits than an int takes are more than the hour that we would wait.
    return number(*value, seconds) ? std::min<Duration>(std::chrono::seconds(seconds), longest_wish) : longest_wish;
  }
  const auto date = http_date(*value);
  if (!date) return std::nullopt;
  return std::clamp<Duration>(*date - now.wall, Duration::zero(), longest_wish);
}

Judgement judge_by_status(const HttpReply& reply, const Now& now) {
  using Kind = Judgement::Kind;
  const int status = reply.status;
  if (status >= 200 && status < 300) return {};
  const std::string answered = "it answered " + std::to_string(status);
  if (status == 429) return {Kind::retry, answered + ": too many messages", retry_after(reply.headers, now)};
  if (status < 200 || status >= 500 || one_of(status, {408, 425}))
    return {Kind::retry, answered, retry_after(reply.headers, now)};
  if (one_of(status, {400, 413, 422})) return {Kind::malformed, answered + ": it does not like this message"};
  if (status < 400)
    return {Kind::refused, answered + ", a redirect, which is never followed; configure the address that it leads to"};
  if (one_of(status, {401, 403}))
    return {Kind::refused, answered + ": it does not accept the key, token or address that is configured"};
  if (one_of(status, {404, 410}))
    return {Kind::refused, answered + ": there is nothing at the address that is configured"};
  return {Kind::refused, answered};
}

}  // namespace vitald::alerting
