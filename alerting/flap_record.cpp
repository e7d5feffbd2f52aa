#include "alerting/flap_record.hpp"

#include <algorithm>

namespace vitald::alerting {
namespace {

Json turns_json(const Turns& turns, const Ages& ages) {
  return {{"seconds", buckets_json(turns.seconds, ages)}, {"changes", buckets_json(turns.changes, ages)}};
}

Turns turns_from(const Json& object, const char* key, const Ages& ages) {
  Turns turns;
  const Json* json = member(object, key);
  if (json == nullptr || !json->is_object()) return turns;
  turns.seconds.buckets = buckets_from(*json, "seconds", ages);
  turns.changes.buckets = buckets_from(*json, "changes", ages);
  return turns;
}

Duration length_of(const Json& json, const char* key) {
  constexpr Duration longest = std::chrono::hours(24 * 366);
  return std::clamp(Duration(integer_of(json, key)), Duration{}, longest);
}

}  // namespace

Json buckets_json(const Window& window, const Ages& ages) {
  Json buckets = Json::array();
  for (const Window::Bucket& bucket : window.buckets) {
    buckets.push_back(Json::array({ages.age(bucket.from), bucket.amount}));
  }
  return buckets;
}

std::vector<Window::Bucket> buckets_from(const Json& object, const char* key, const Ages& ages) {
  std::vector<Window::Bucket> buckets;
  const Json* json = member(object, key);
  if (json == nullptr || !json->is_array()) return buckets;
  for (const Json& bucket : *json) {
    if (buckets.size() == Window::buckets_max) break;
    if (!bucket.is_array() || bucket.size() != 2 || !bucket[0].is_number_integer() || !bucket[1].is_number()) continue;
    buckets.push_back({ages.with_downtime(bucket[0].get<std::int64_t>()), bucket[1].get<double>()});
  }
  return buckets;
}

Json flapping_json(const Flapping& state, const Ages& ages) {
  Json json = Json::object();
  if (!state.bad.changes.buckets.empty()) json["bad"] = turns_json(state.bad, ages);
  const bool all_critical = state.critical == state.bad;  // by far the most frequent, and these are most of the bytes
  if (!all_critical) json["critical"] = turns_json(state.critical, ages);
  for (const Steady at : state.told) json["told"].push_back(ages.age(at));
  if (state.unstable) json["unstable"] = true;
  if (state.rested) json["rested"] = true;
  if (state.demand > Duration::zero()) json["demand"] = state.demand.count();
  if (json.empty()) return json;
  json["latest"] = to_string(state.latest);
  json["calm"] = state.calm.count();
  json["lower"] = state.lower.count();
  json["down"] = state.down.count();
  return json;
}

Flapping flapping_from(const Json& json, const Ages& ages) {
  Flapping state;
  state.bad = turns_from(json, "bad", ages);
  state.critical = member(json, "critical") == nullptr ? state.bad : turns_from(json, "critical", ages);
  state.latest = status_of(json, "latest", Status::ok);
  if (state.latest == Status::unknown) state.latest = Status::ok;
  state.calm = length_of(json, "calm");
  state.lower = length_of(json, "lower");
  state.down = length_of(json, "down");
  state.demand = length_of(json, "demand");
  state.unstable = flag_of(json, "unstable");
  state.rested = flag_of(json, "rested");
  const Json* told = member(json, "told");
  if (told == nullptr || !told->is_array()) return state;
  for (const Json& age : *told) {
    if (age.is_number_integer() && state.told.size() < 32)
      state.told.push_back(ages.with_downtime(age.get<std::int64_t>()));
  }
  return state;
}

}  // namespace vitald::alerting
