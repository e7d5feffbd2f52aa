#include "probes/disk_trend.hpp"

#include <algorithm>
#include <charconv>

#include "config/trend.hpp"
#include "probes/proc_text.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes::disk {
namespace {

constexpr std::int64_t between_points = 5, window = 4 * 60, least_span = 60;  // minutes
constexpr std::size_t most_mounts = 50;  // 48 points of about 15 bytes each: 40 KB of memory
constexpr std::size_t most_bytes = 55 * 1024;
constexpr double year = 366.0 * 24 * 3600;

std::int64_t minute_of(Wall at) { return std::chrono::floor<std::chrono::minutes>(at).time_since_epoch().count(); }

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::int64_t far = std::int64_t{1} << 53;  // sums of two do not overflow
  if (error != std::errc{} || end != text.data() + text.size() || value > far || value < -far) return std::nullopt;
  return value;
}

/// "27483840:104857600 5:2048 5:-4096": each point after the first as the difference to the one before.
std::vector<Point> parse_points(std::string_view text) {
  std::vector<Point> points;
  for (const std::string_view word : words_of(text)) {
    const std::size_t colon = word.find(':');
    if (colon == std::string_view::npos) return {};
    const auto minute = number(word.substr(0, colon)), kib = number(word.substr(colon + 1));
    if (!minute || !kib || points.size() > static_cast<std::size_t>(window)) return {};
    const Point last = points.empty() ? Point{} : points.back();
    points.push_back({.minute = last.minute + *minute, .kib = last.kib + *kib});
  }
  return points;
}

std::string write_points(const std::vector<Point>& points) {
  std::string text;
  Point last;
  for (const Point& each : points) {
    text += (text.empty() ? "" : " ") + std::to_string(each.minute - last.minute) + ":" +
            std::to_string(each.kib - last.kib);
    last = each;
  }
  return text;
}

}  // namespace

std::optional<double> growth_of(const std::vector<Point>& points) {
  if (points.empty() || points.back().minute - points.front().minute < least_span) return std::nullopt;
  std::vector<TrendPoint> line;
  for (const Point& each : points) line.push_back({static_cast<double>(each.minute), static_cast<double>(each.kib)});
  const auto growth = slope(line, Direction::rising);
  return growth ? std::optional(*growth * 1024 / 60) : std::nullopt;
}

Trends Trends::read(std::string_view memory) {
  Trends read;
  const auto remembered = Remembered::read(memory);
  for (const auto& [key, value] : remembered.all()) {
    const std::size_t slash = value.find('/');  // points have none
    if (slash == std::string::npos || read.trends_.size() == most_mounts) continue;
    auto points = parse_points(std::string_view(value).substr(0, slash));
    if (!points.empty()) read.trends_.push_back({.mount = value.substr(slash), .points = std::move(points)});
  }
  return read;
}

const Trends::Trend* Trends::find(const std::string& mount) const {
  const auto found =
      std::find_if(trends_.begin(), trends_.end(), [&](const Trend& each) { return each.mount == mount; });
  return found == trends_.end() ? nullptr : &*found;
}

void Trends::add(const std::string& mount, Wall at, double used) {
  const Point now{.minute = minute_of(at), .kib = static_cast<std::int64_t>(std::clamp(used, 0.0, 1e18) / 1024)};
  auto found = std::find_if(trends_.begin(), trends_.end(), [&](const Trend& each) { return each.mount == mount; });
  if (found == trends_.end()) {
    if (trends_.size() < most_mounts) trends_.push_back({.mount = mount, .points = {now}});
    return;
  }
  auto& points = found->points;
  // The clock may have been set: what is in the future now was never measured.
  std::erase_if(points,
                [&](const Point& each) { return each.minute > now.minute || each.minute <= now.minute - window; });
  if (points.empty() || now.minute - points.back().minute >= between_points) points.push_back(now);
}

std::optional<double> Trends::full_in(const std::string& mount, double available) const {
  const Trend* trend = find(mount);
  const auto growth = trend != nullptr ? growth_of(trend->points) : std::nullopt;
  if (!growth || available / *growth > year) return std::nullopt;
  return available / *growth;
}

std::string Trends::written(Wall at) const {
  Remembered made;
  std::size_t index = 0, bytes = 0;
  for (const Trend& each : trends_) {
    if (each.points.back().minute <= minute_of(at) - window) continue;
    const std::string line = write_points(each.points) + " " + each.mount;
    bytes += line.size() + each.mount.size() + 16;  // its key, and a path that has to be escaped
    if (bytes > most_bytes) break;
    made.set("trend." + std::to_string(index++), line);
  }
  return made.written();
}

}  // namespace vitald::probes::disk
