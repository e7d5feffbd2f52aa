#include "probes/access_window.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <string>

namespace vitald::probes {
namespace {

constexpr double shortest = 0.0005;  // seconds: up to here it is bin 0
constexpr double growth = 1.15;
constexpr std::string_view key_prefix = "step.";
constexpr std::uint64_t most = std::uint64_t{1} << 50;

std::size_t bin_of(double seconds) {
  if (seconds <= shortest) return 0;
  const double bin = std::ceil(std::log(seconds / shortest) / std::log(growth));
  return static_cast<std::size_t>(std::min(bin, static_cast<double>(AccessWindow::bins - 1)));
}

/// Takes a number off the front, and a blank or colon behind it.
std::optional<std::uint64_t> take(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number > most) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return number;
}

}  // namespace

AccessWindow::AccessWindow(const Remembered& memory, Duration length, Wall now)
    : step_(std::max<Duration>(length / steps, Duration(1))), now_(now.time_since_epoch() / step_) {
  if (memory.number("step") != static_cast<double>(step_.count())) return;  // of a window of another length
  for (int i = 0; i < steps; ++i) {
    const std::string kept = memory.text(std::string(key_prefix) + std::to_string(i)).value_or("");
    std::string_view text = kept;
    const auto number = take(text), requests = take(text), errors = take(text);
    if (!number || !requests || !errors) continue;
    Step read{.number = static_cast<std::int64_t>(*number), .requests = *requests, .errors = *errors};
    while (!text.empty()) {
      const auto bin = take(text), count = take(text);
      if (!bin || !count || *bin >= bins) break;
      read.latencies[*bin] = *count;
    }
    // One from the future was written before the clock was set back.
    if (read.number > now_ - steps && read.number <= now_) steps_.push_back(read);
  }
  std::sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.number < b.number; });
}

AccessWindow::Step& AccessWindow::current() {
  if (steps_.empty() || steps_.back().number != now_) steps_.push_back({.number = now_});
  return steps_.back();
}

void AccessWindow::add(const AccessLine& line, bool is_error) {
  Step& step = current();
  step.requests += 1;
  if (is_error) step.errors += 1;
  if (line.seconds) step.latencies[bin_of(*line.seconds)] += 1;
}

void AccessWindow::write(Remembered& memory) const {
  memory.set("step", static_cast<double>(step_.count()));
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    std::string text =
        std::to_string(step.number) + " " + std::to_string(step.requests) + " " + std::to_string(step.errors);
    for (std::size_t bin = 0; bin < bins; ++bin) {
      if (step.latencies[bin] > 0) text += " " + std::to_string(bin) + ":" + std::to_string(step.latencies[bin]);
    }
    memory.set(std::string(key_prefix) + std::to_string(i), text);
  }
}

std::uint64_t AccessWindow::requests() const {
  return std::accumulate(steps_.begin(), steps_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Step& step) { return sum + step.requests; });
}
std::uint64_t AccessWindow::errors() const {
  return std::accumulate(steps_.begin(), steps_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Step& step) { return sum + step.errors; });
}

std::optional<double> AccessWindow::quantile(double share) const {
  std::array<std::uint64_t, bins> all{};
  for (const Step& step : steps_) {
    for (std::size_t bin = 0; bin < bins; ++bin) all[bin] += step.latencies[bin];
  }
  const std::uint64_t count = std::accumulate(all.begin(), all.end(), std::uint64_t{0});
  if (count == 0) return std::nullopt;
  const double wanted = std::ceil(share * static_cast<double>(count));
  std::uint64_t below = 0;
  std::size_t bin = 0;
  while (bin + 1 < bins && static_cast<double>(below += all[bin]) < wanted) ++bin;
  // The middle of the bin, as the powers have it.
  return bin == 0 ? shortest : shortest * std::pow(growth, static_cast<double>(bin) - 0.5);
}

}  // namespace vitald::probes
