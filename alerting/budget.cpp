#include "alerting/budget.hpp"

#include <algorithm>
#include <chrono>

namespace vitald::alerting {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr int in_minute = 5;
constexpr int told_in_hour = 12;
constexpr int room_for_problems = 4;  // of an hour: what updates and reminders leave
constexpr std::size_t storm_in_hour = 8, storm_unless_urgent = 6;
static_assert(told_in_hour + storm_in_hour == 20, "docs/guarantees.md R11");

}  // namespace

bool Budget::takes_problem(Steady now) const {
  const int storm = !storm_.empty() && storm_.back() > now - minutes(1) ? 1 : 0;
  return spent(now, minutes(1)) + 2 + storm <= in_minute && spent(now, hours(1)) + 2 <= told_in_hour;
}

bool Budget::takes_more(Steady now) const {
  return spent(now, minutes(1)) + 2 <= in_minute && spent(now, hours(1)) + 1 + room_for_problems <= told_in_hour;
}

Steady Budget::more_from(Steady now) const {
  Steady from = now;
  for (auto entry = told_.begin(); !takes_more(from) && entry != told_.end(); ++entry)
    from = std::max(from, entry->at + minutes(1));
  for (auto entry = told_.begin(); !takes_more(from) && entry != told_.end(); ++entry)
    from = std::max(from, entry->at + hours(1));
  return from;
}

Steady Budget::storm_from(bool urgent) const {
  Steady from = Steady::min();
  int sum = 0;
  for (auto entry = told_.rbegin(); entry != told_.rend(); ++entry) {
    sum += entry->cost;
    if (sum < in_minute) continue;
    from = entry->at + minutes(1);
    break;
  }
  if (storm_.empty()) return from;
  from = std::max(from, storm_.back() + minutes(1));
  const std::size_t share = urgent ? storm_in_hour : storm_unless_urgent;
  if (storm_.size() >= share) from = std::max(from, storm_[storm_.size() - share] + hours(1));
  return from;
}

void Budget::note_storm(Steady now) {
  storm_.push_back(now);
  if (storm_.size() > storm_in_hour) storm_.pop_front();
}

int Budget::spent(Steady now, Duration window) const {
  int sum = 0;
  for (auto entry = told_.rbegin(); entry != told_.rend() && entry->at > now - window; ++entry) sum += entry->cost;
  return sum;
}

void Budget::note(Steady now, int cost) {
  while (!told_.empty() && told_.front().at <= now - hours(1)) told_.pop_front();
  // What vitald says of itself and of acknowledgements is never held back; beyond this it changes no answer any more.
  if (told_.size() < 64) told_.push_back({now, cost});
}

Json Budget::to_json(const Ages& ages) const {
  Json json = {{"told", Json::array()}, {"storm", Json::array()}};
  for (const Spent& entry : told_) json["told"].push_back(Json::array({ages.age(entry.at), entry.cost}));
  for (const Steady at : storm_) json["storm"].push_back(ages.age(at));
  return json;
}

Budget Budget::from_json(const Json& json, const Ages& ages) {
  Budget budget;
  const auto list = [&](const char* key) -> const Json& {
    static const Json none = Json::array();
    const Json* found = member(json, key);
    return found != nullptr && found->is_array() ? *found : none;
  };
  for (const Json& entry : list("told")) {
    if (budget.told_.size() == 64) break;
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_number_integer() || !entry[1].is_number_integer())
      continue;
    budget.told_.push_back({ages.with_downtime(entry[0].get<std::int64_t>()), entry[1].get<int>() > 1 ? 2 : 1});
  }
  for (const Json& age : list("storm")) {
    if (age.is_number_integer()) budget.note_storm(ages.with_downtime(age.get<std::int64_t>()));
  }
  return budget;
}

}  // namespace vitald::alerting
