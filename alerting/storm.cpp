#include "alerting/storm.hpp"

#include <algorithm>
#include <array>

namespace vitald::alerting {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view prefix = "storm:";
constexpr Duration gathers_for = seconds(10);
constexpr Duration quiet_after = minutes(10);
/// Between two messages of one storm, when nothing became more urgent.
constexpr std::array<Duration, 4> distances = {minutes(1), minutes(4), minutes(10), minutes(15)};

Json storm_json(const Storm& storm, const Ages& ages) {
  return {{"id", storm.id},
          {"total", storm.total},
          {"begun", ages.age(storm.begun)},
          {"joined", ages.age(storm.joined)},
          {"spoke", ages.age(storm.spoke)},
          {"told", storm.told},
          {"changed", storm.changed},
          {"news", ages.age(storm.news)},
          {"urgent", storm.urgent},
          {"closing", storm.closing}};
}

Storm storm_from(const Json& json, const Ages& ages) {
  Storm storm;
  storm.id = text_of(json, "id");
  storm.total = static_cast<std::size_t>(std::clamp<std::int64_t>(integer_of(json, "total"), 0, 1'000'000'000));
  storm.begun = ages.with_downtime(integer_of(json, "begun"));
  storm.joined = ages.with_downtime(integer_of(json, "joined"));
  storm.spoke = ages.with_downtime(integer_of(json, "spoke"));
  storm.told = static_cast<int>(std::clamp<std::int64_t>(integer_of(json, "told"), 0, 1'000'000'000));
  storm.changed = flag_of(json, "changed");
  storm.news = ages.with_downtime(integer_of(json, "news"));
  storm.urgent = flag_of(json, "urgent");
  storm.closing = flag_of(json, "closing");
  return storm;
}

void keep_earliest(std::optional<Steady>& at, std::optional<Steady> other) {
  if (other && (!at || *other < *at)) at = other;
}

}  // namespace

Storm* Desk::gathering(Steady now) {
  if (storms.empty()) return nullptr;
  Storm& latest = storms.back();
  return latest.closing || now - latest.joined > quiet_after ? nullptr : &latest;
}

Storm* Desk::find(std::string_view id) {
  const auto found = std::find_if(storms.begin(), storms.end(), [&](const Storm& storm) { return storm.id == id; });
  return found == storms.end() ? nullptr : &*found;
}

std::string Storms::receiver_of(std::string_view subject) {
  subject.remove_prefix(prefix.size());
  return std::string(subject.substr(0, subject.rfind(':')));
}

void Storms::forget(Turn& turn, const std::string& receiver) {
  if (desks_.erase(receiver) != 0) turn.effects.notes.push_back({std::string(prefix) + receiver, "", true});
}

std::optional<Steady> Storms::due(const Desk& desk, const Storm& storm) {
  if (storm.told == 0) return std::max(storm.begun + gathers_for, desk.budget.storm_from(true));
  if (storm.open.empty() || storm.urgent) return desk.budget.storm_from(true);
  if (!storm.changed) return std::nullopt;
  const auto step = std::min(static_cast<std::size_t>(storm.told), distances.size()) - 1;
  return std::max({storm.spoke + distances[step], storm.news + gathers_for, desk.budget.storm_from(false)});
}

void Storms::restore(const NoteRecord& note, const Now& now) {
  if (!note.key.starts_with(prefix)) return;
  const Json json = parse_object(note.state);
  if (json.is_discarded()) return;
  const Ages ages(now, wall_of(json, "at"));
  Desk& desk = desks_[note.key.substr(prefix.size())];
  desk.budget = Budget::from_json(json, ages);
  desk.number = static_cast<int>(std::clamp<std::int64_t>(integer_of(json, "number"), 0, 1'000'000'000));
  const Json* late = member(json, "late");
  if (late != nullptr && late->is_object()) {
    for (const auto& [id, kind] : late->items()) {
      const bool again = kind == to_string(NotificationKind::escalation);
      desk.late[id] = again ? NotificationKind::escalation : NotificationKind::update;
    }
  }
  const Json* storms = member(json, "storms");
  if (storms == nullptr || !storms->is_array()) return;
  for (const Json& storm : *storms) {
    if (storm.is_object()) desk.storms.push_back(storm_from(storm, ages));
  }
}

void Storms::write(Turn& turn) {
  bool any = false;
  for (auto& [receiver, desk] : desks_) {
    if (!desk.touched) continue;
    any = true;
    desk.touched = false;
    const Ages ages(turn.now);
    Json json = desk.budget.to_json(ages);
    json["at"] = to_json_value(turn.now.wall);
    json["number"] = desk.number;
    for (const auto& [id, kind] : desk.late) json["late"][id] = to_string(kind);
    json["storms"] = Json::array();
    for (const Storm& storm : desk.storms) json["storms"].push_back(storm_json(storm, ages));
    turn.effects.notes.push_back({std::string(prefix) + receiver, dump(json), false});
  }
  if (any) arm(turn.now.steady);
}

void Storms::arm(Steady now) {
  wake_at_.reset();
  for (const auto& [receiver, desk] : desks_) {
    if (!desk.late.empty()) keep_earliest(wake_at_, desk.budget.more_from(now));
    for (const Storm& storm : desk.storms) keep_earliest(wake_at_, due(desk, storm));
  }
}

}  // namespace vitald::alerting
