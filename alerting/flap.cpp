#include "alerting/flap.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "config/units.hpp"

namespace vitald::alerting {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr double share_min = 0.3;
constexpr double changes_min = 8;  // four times there and back: one long outage with a restart in it makes four changes
constexpr Duration day = hours(24);
constexpr std::size_t told_max = 32;
/// After the n-th time within a day. With these a day has room for 26 messages at most (docs/decisions/0017).
constexpr std::array<Duration, 7> demands = {Duration{}, Duration{}, minutes(15), minutes(30),
                                             hours(1),   hours(2),   hours(4)};
constexpr Duration unstable_demand = minutes(15);
constexpr Duration down_for_good = minutes(10);
constexpr Duration unstable_pause = minutes(2);  // longer than that, and a shaky check is no longer a cause

Duration demand_after(std::size_t times) { return demands[std::clamp<std::size_t>(times, 1, demands.size()) - 1]; }

double share(const Turns& turns, Steady now) {
  return std::min(1.0, sum(turns.seconds, now) / std::chrono::duration<double>(flap_window).count());
}

bool shaky(const Turns& turns, Steady now) {
  return sum(turns.changes, now) >= changes_min && share(turns, now) > share_min;
}

/// Between two runs half of the time is given to each: looks that follow a failure closely must not make good runs,
/// which come further apart, weigh more.
void follow(Turns& turns, bool was, bool is, Duration gap, Steady at) {
  const double half = std::chrono::duration<double>(gap).count() / 2;
  if (was || is) add(turns.seconds, at, half * ((was ? 1 : 0) + (is ? 1 : 0)));
  if (was != is) add(turns.changes, at, 1);
}

bool is_empty(const Turns& turns) { return turns.seconds.buckets.empty() && turns.changes.buckets.empty(); }

void forget_old(Turns& turns, Steady at) {
  add(turns.seconds, at, 0);
  add(turns.changes, at, 0);
}

}  // namespace

bool observe(Flapping& state, Status verdict, Steady started, Duration every) {
  const bool bad = verdict != Status::ok;
  const bool was_bad = state.latest != Status::ok;
  // A run speaks for the time until the next one, but not for hours.
  const Duration longest = std::max<Duration>(minutes(5), 2 * every);
  const Duration gap = state.seen ? std::clamp(started - *state.seen, Duration{}, longest) : Duration{};
  state.seen = started;
  const bool quiet = !bad && !was_bad && is_empty(state.bad) && state.demand == Duration::zero();
  if (quiet) return false;
  const bool critical = verdict == Status::critical;
  const bool was_critical = state.latest == Status::critical;
  state.latest = verdict;
  forget_old(state.bad, started);
  forget_old(state.critical, started);
  follow(state.bad, was_bad, bad, gap, started);
  follow(state.critical, was_critical, critical, gap, started);
  state.calm = bad || was_bad ? Duration{} : state.calm + gap;
  state.lower = critical || was_critical ? Duration{} : state.lower + gap;
  state.down = bad && was_bad ? state.down + gap : Duration{};
  if (state.demand > Duration::zero() && state.calm >= unstable_demand) state.rested = true;
  return state.demand > Duration::zero() || !state.bad.changes.buckets.empty();
}

Status counted(const Flapping& state, Status found, Status settled, Status verdict, bool told, Steady now) {
  if (verdict == Status::critical && shaky(state.critical, now)) found = Status::critical;
  if (verdict != Status::ok && shaky(state.bad, now)) found = worse(found, Status::warning);
  if (worse(found, settled) == found || !told) return found;
  const Duration calm = found == Status::ok ? state.calm : state.lower;
  return calm >= state.demand ? found : settled;
}

std::string unstable_words(const Flapping& state, Status settled, Steady now) {
  const Turns& turns = settled == Status::critical ? state.critical : state.bad;
  return "unstable: bad in " + say_ratio(std::round(share(turns, now) * 100) / 100) + " of the last " +
         say_duration(flap_window) + ", " + say_number(sum(turns.changes, now)) + " changes";
}

Steady unstable_since(const Flapping& state, Steady now) {
  return state.bad.changes.buckets.empty() ? now : state.bad.changes.buckets.front().from;
}

bool rests(Flapping& state, Status found, Status settled) {
  const Duration pause = state.unstable ? unstable_pause : Duration{};
  const bool now = found == Status::ok && settled != Status::ok && state.calm >= pause;
  const bool begins = now && !state.resting;
  state.resting = now;
  return begins;
}

bool stays_down(const Flapping& state, Status found, Status settled, Steady now) {
  if (found != settled || found == Status::ok || state.down < down_for_good || state.told.empty()) return false;
  return (state.unstable || state.rested) && now - state.told.back() >= state.demand;
}

std::string rise(Flapping& state, bool unstable, const Now& now) {
  std::erase_if(state.told, [&](Steady at) { return at <= now.steady - day; });
  if (state.told.size() == told_max) state.told.erase(state.told.begin());
  state.told.push_back(now.steady);
  state.demand = demand_after(state.told.size());
  if (unstable) state.demand = std::max(state.demand, unstable_demand);
  state.unstable = unstable;
  state.rested = state.resting = false;
  if (state.told.size() < 3) return "";
  const Wall first = now.wall - (now.steady - state.told.front());
  const bool earlier_day =
      std::chrono::floor<std::chrono::days>(first) != std::chrono::floor<std::chrono::days>(now.wall);
  return "bad " + std::to_string(state.told.size()) + " times since " + say_time(first, earlier_day);
}

std::string fall(Flapping& state) {
  const Duration demand = state.demand;
  state.demand = {};
  state.unstable = state.rested = state.resting = false;
  state.bad = state.critical = {};
  return demand == Duration::zero() ? "" : "steady for " + say_duration(demand);
}

}  // namespace vitald::alerting
