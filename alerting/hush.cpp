#include "alerting/hush.hpp"

#include <algorithm>

#include "alerting/ids.hpp"
#include "alerting/json_fields.hpp"
#include "alerting/limit_words.hpp"

namespace vitald::alerting {
namespace {

constexpr std::string_view kind = "silence:";
// Ages are put onto the clock of the next process by the wall clock, which counts for a week at most (json_fields.hpp).
constexpr Duration write_again = std::chrono::hours(24);

std::vector<std::string> texts_of(const Json& json, const char* key) {
  std::vector<std::string> texts;
  const Json* list = member(json, key);
  if (list == nullptr || !list->is_array()) return texts;
  for (const Json& item : *list) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::optional<Silence> silence_from(const NoteRecord& note, const Now& now) {
  const Json json = parse_object(note.state);
  if (json.is_discarded() || member(json, "ends") == nullptr) return std::nullopt;
  const Ages ages(now, wall_of(json, "at"));
  Silence silence;
  silence.id = note.key.substr(kind.size());
  silence.checks.names = texts_of(json, "names");
  if (const Json* labels = member(json, "labels"); labels != nullptr && labels->is_object()) {
    for (const auto& [name, value] : labels->items()) {
      if (value.is_string()) silence.checks.labels.emplace_back(name, value.get<std::string>());
    }
  }
  silence.owner = text_of(json, "owner");
  silence.reason = text_of(json, "reason");
  silence.begun = ages.with_downtime(integer_of(json, "begun"));
  silence.ends = std::min(ages.with_downtime(integer_of(json, "ends")), now.steady + Hush::longest);
  silence.until_recovered = flag_of(json, "until_recovered");
  silence.met = flag_of(json, "met");
  return silence;
}

}  // namespace

bool Hush::pass(Turn& turn) {
  const bool set_back = turn.now.wall < now_.wall;
  now_ = turn.now;
  std::vector<std::string> over;
  if (first_end_ && *first_end_ <= turn.now.steady) {
    for (const auto& [id, silence] : silences_) {
      if (silence.ends <= turn.now.steady) over.push_back(id);
    }
  }
  for (const std::string& id : over) end(turn, id);
  if (!silences_.empty() && turn.now.steady - written_ >= write_again) write_all(turn);
  const bool calendar = changes_ && (set_back || turn.now.wall >= *changes_);
  if (calendar) look_at_calendar(turn.now.wall);
  return calendar || !over.empty();
}

void Hush::adopt_rules(Turn& turn) {
  now_ = turn.now;
  windows_.clear();
  for (const Maintenance& rule : turn.rules.maintenance) windows_.push_back({&rule, std::nullopt});
  look_at_calendar(turn.now.wall);
}

void Hush::look_at_calendar(Wall now) {
  changes_.reset();
  for (Planned& window : windows_) {
    window.active = window.rule->when.at(now);
    const Wall change = window.active ? window.active->end : window.rule->when.next(now).begin;
    if (!changes_ || change < *changes_) changes_ = change;
  }
}

void Hush::find_first_end() {
  first_end_.reset();
  for (const auto& [id, silence] : silences_) {
    if (!first_end_ || silence.ends < *first_end_) first_end_ = silence.ends;
  }
}

void Hush::add(Turn& turn, Silence silence) {
  if (silences_.size() >= silences_max) return;
  newest_ = silence.id;
  write(turn, silence);
  silences_[silence.id] = std::move(silence);
  find_first_end();
}

bool Hush::end(Turn& turn, const std::string& id) {
  if (silences_.erase(id) == 0) return false;
  find_first_end();
  turn.effects.notes.push_back({std::string(kind) + id, "", true});
  return true;
}

std::optional<Muting> Hush::mutes(std::string_view check, const Labels& labels) const {
  std::optional<Muting> found;
  const auto consider = [&](Muting muting) {
    if (!found || found->until < muting.until) found = std::move(muting);
  };
  for (const auto& [id, silence] : silences_) {
    if (!silence.checks.fits(check, labels)) continue;
    consider({"silence " + short_id(id), silence.owner, silence.reason, wall_of(silence.ends)});
  }
  for (const Planned& window : windows_) {
    if (!window.active || !window.rule->checks.fits(check, labels)) continue;
    consider({"maintenance " + window.rule->name, "", "planned", window.active->end});
  }
  return found;
}

bool Hush::awaits_recovery() const {
  return std::any_of(silences_.begin(), silences_.end(), [](const auto& one) { return one.second.until_recovered; });
}

void Hush::write(Turn& turn, const Silence& silence) {
  const Ages ages(turn.now);
  Json labels = Json::object();
  for (const auto& [name, value] : silence.checks.labels) labels[name] = value;
  const Json json = {{"at", to_json_value(turn.now.wall)},
                     {"names", silence.checks.names},
                     {"labels", std::move(labels)},
                     {"owner", silence.owner},
                     {"reason", silence.reason},
                     {"begun", ages.age(silence.begun)},
                     {"ends", ages.age(silence.ends)},
                     {"until_recovered", silence.until_recovered},
                     {"met", silence.met}};
  turn.effects.notes.push_back({std::string(kind) + silence.id, dump(json)});
}

void Hush::write_all(Turn& turn) {
  written_ = turn.now.steady;
  for (const auto& [id, silence] : silences_) write(turn, silence);
}

void Hush::restore(const std::vector<NoteRecord>& notes, const Now& now) {
  now_ = now;
  written_ = now.steady - write_again;
  for (const NoteRecord& note : notes) {
    if (!note.key.starts_with(kind)) continue;
    if (auto silence = silence_from(note, now)) silences_[silence->id] = std::move(*silence);
  }
  find_first_end();
}

std::optional<Steady> Hush::wake_at(const Now& now) const {
  if (!changes_) return first_end_;
  // A step of the clock may have put it behind us, or a century away: a day from now is early enough to look again.
  const Duration left = std::clamp(*changes_ - now.wall, Duration::zero(), Duration(std::chrono::hours(24)));
  return first_end_ ? std::min(*first_end_, now.steady + left) : now.steady + left;
}

std::vector<SilenceView> Hush::silences() const {
  std::vector<SilenceView> views;
  for (const auto& [id, one] : silences_) {
    views.push_back(
        {id, one.checks.text(), one.owner, one.reason, wall_of(one.begun), wall_of(one.ends), one.until_recovered});
  }
  std::sort(views.begin(), views.end(),
            [](const auto& a, const auto& b) { return a.begun != b.begun ? a.begun < b.begun : a.id < b.id; });
  return views;
}

std::vector<MaintenanceView> Hush::maintenance(Wall now) const {
  std::vector<MaintenanceView> views;
  for (const Planned& window : windows_) {
    const Maintenance& rule = *window.rule;
    views.push_back({rule.name, rule.checks.text(), rule.when.at(now), rule.when.next(now)});
  }
  return views;
}

Result<std::string> Hush::find(std::string_view prefix) const {
  const std::string typed = fold_id(prefix.substr(0, 20));
  if (typed.size() < typed_prefix) return Failure{"", "a silence is named by at least 4 characters of its id"};
  std::vector<std::string> fitting;
  for (auto found = silences_.lower_bound(typed); found != silences_.end() && found->first.starts_with(typed); ++found)
    fitting.push_back(found->first);
  if (fitting.empty()) return Failure{"", "no silence has an id that begins with '" + typed + "'"};
  if (fitting.size() == 1) return fitting.front();
  return Failure{"", std::to_string(fitting.size()) + " silences have ids that begin with '" + typed +
                         "', give more of it (one is " + fitting.front() + ")"};
}

}  // namespace vitald::alerting
