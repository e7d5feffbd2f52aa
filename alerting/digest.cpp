#include "alerting/digest.hpp"

#include <algorithm>
#include <set>

#include "alerting/json_fields.hpp"
#include "alerting/limit_words.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

using std::chrono::hours;

constexpr std::string_view prefix = "digest:";
constexpr std::size_t kept_max = 100;  // of what is over; a note has 64 KiB
constexpr std::size_t summary_max = 200;
constexpr std::size_t lines_max = 10;
constexpr std::size_t names_max = 40;
constexpr Duration latest = hours(24);  // a digest that is later than that says nothing new

Json chapter_json(const Chapter& chapter) {
  Json json = {{"severity", to_string(chapter.severity)},
               {"check", bounded(chapter.check, 120)},
               {"summary", bounded(chapter.summary, summary_max)},
               {"opened", to_json_value(chapter.opened)}};
  if (chapter.closed) json["closed"] = to_json_value(*chapter.closed);
  return json;
}

Chapter chapter_from(const Json& json) {
  Chapter chapter;
  for (const Severity severity : {Severity::p0, Severity::p1, Severity::p2, Severity::p3}) {
    if (text_of(json, "severity") == to_string(severity)) chapter.severity = severity;
  }
  chapter.check = text_of(json, "check");
  chapter.summary = text_of(json, "summary");
  chapter.opened = wall_of(json, "opened");
  chapter.closed = wall_of(json, "closed");
  return chapter;
}

template <class Use>
void for_digests(const Rules& rules, Use use) {
  const auto look = [&](const Escalation& escalation) {
    for (const DigestStep& step : escalation.digests) {
      for (const std::string& receiver : step.notify) use(step, receiver);
    }
  };
  for (const Escalation& escalation : rules.escalations) look(escalation);
  for (const Route& route : rules.routes) {
    for (const auto& escalation : route.escalations) {
      if (escalation) look(*escalation);
    }
  }
}

/// "P3 root-fs - used 83 % of /, since 21 Nov 02:13:56 UTC".
std::string line_of(const Chapter& chapter) {
  std::string line =
      std::string(to_string(chapter.severity)) + " " + chapter.check + " - " + bounded(chapter.summary, summary_max);
  if (!chapter.closed) {
    line += ", since " + say_time(chapter.opened, true);
    return chapter.acknowledged_by ? line + ", acknowledged by " + *chapter.acknowledged_by : line;
  }
  line += ", " + say_time(chapter.opened, true);
  return *chapter.closed > chapter.opened ? line + ", for " + say_duration(*chapter.closed - chapter.opened) : line;
}

/// Ten of them in a line each, names of the next forty, and how many there are besides.
std::string lines_of(std::vector<Chapter>& chapters, std::size_t uncounted) {
  std::stable_sort(chapters.begin(), chapters.end(), [](const Chapter& a, const Chapter& b) {
    return a.severity != b.severity ? a.severity < b.severity : a.opened < b.opened;
  });
  std::string text;
  for (std::size_t i = 0; i < std::min(lines_max, chapters.size()); ++i)
    text += (i == 0 ? "" : "\n") + line_of(chapters[i]);
  const std::size_t all = chapters.size() + uncounted;
  if (all <= lines_max) return text;
  text += "\n" + std::to_string(all - lines_max) + " more: ";
  const std::size_t named = std::min(chapters.size(), lines_max + names_max);
  for (std::size_t i = lines_max; i < named; ++i) text += (i == lines_max ? "" : ", ") + chapters[i].check;
  return named < all ? text + ", …" : text;
}

}  // namespace

bool Digests::covers(const Escalation& escalation, const std::string& receiver) {
  const auto& digests = escalation.digests;
  return std::any_of(digests.begin(), digests.end(), [&](const DigestStep& step) {
    return std::find(step.notify.begin(), step.notify.end(), receiver) != step.notify.end();
  });
}

void Digests::over(const Escalation& escalation, const Chapter& chapter) {
  for (auto& [receiver, desk] : desks_) {
    if (!covers(escalation, receiver)) continue;
    desk.touched = true;
    if (desk.over.size() < kept_max) {
      desk.over.push_back(chapter);
    } else {
      ++desk.more;
    }
  }
}

void Digests::plan(const Rules& rules, const std::string& receiver, Desk& desk) {
  desk.next = Wall::max();
  for_digests(rules, [&](const DigestStep& step, const std::string& name) {
    if (name == receiver) desk.next = std::min(desk.next, step.when.next(step.zone, desk.last));
  });
}

std::vector<std::string> Digests::take_due(Turn& turn) {
  std::vector<std::string> due;
  for (auto& [receiver, desk] : desks_) {
    // A clock that was set back by less may not bring the same digest twice.
    if (desk.last > turn.now.wall + hours(1)) {
      desk.last = turn.now.wall;
      plan(turn.rules, receiver, desk);
      desk.touched = true;
    }
    while (desk.next <= turn.now.wall) {
      const Wall was = desk.next;
      desk.last = was;
      plan(turn.rules, receiver, desk);
      desk.touched = true;
      if (turn.now.wall - was > latest) {
        // Years of a clock that was wrong are not gone through day by day.
        desk.last = std::max(was, turn.now.wall - latest);
        plan(turn.rules, receiver, desk);
      } else if (desk.next > turn.now.wall) {
        due.push_back(receiver);
      }
    }
  }
  return due;
}

std::optional<Notification> Digests::compose(Turn& turn, const std::string& receiver, std::vector<Chapter> open,
                                             IdSource& ids) {
  const auto found = desks_.find(receiver);
  if (found == desks_.end()) return std::nullopt;
  Desk& desk = found->second;
  const std::size_t over = desk.over.size() + desk.more;
  if (open.empty() && over == 0) return std::nullopt;
  Notification digest;
  digest.id = {ids.next(), 1, receiver};
  digest.kind = NotificationKind::digest;
  digest.severity = Severity::p3;
  digest.status = open.empty() ? Status::ok : Status::warning;
  for (const auto* list : {&open, &desk.over}) {
    for (const Chapter& chapter : *list) digest.severity = std::min(digest.severity, chapter.severity);
  }
  digest.instance = turn.rules.instance;
  digest.check = "digest";
  digest.probe = "vitald";
  digest.summary = std::to_string(open.size()) + " open, " + std::to_string(over) + " came and went";
  digest.opened = digest.at = turn.now.wall;
  if (!open.empty()) digest.evidence.push_back({"Open", lines_of(open, 0)});
  if (over > 0) digest.evidence.push_back({"Came and went", lines_of(desk.over, desk.more)});
  desk.over.clear();
  desk.more = 0;
  desk.touched = true;
  return digest;
}

void Digests::restore(const NoteRecord& note) {
  if (!note.key.starts_with(prefix)) return;
  const Json json = parse_object(note.state);
  if (json.is_discarded() || member(json, "last") == nullptr) return;
  Desk& desk = desks_[note.key.substr(prefix.size())];
  desk.last = wall_of(json, "last");
  desk.more = static_cast<std::size_t>(std::clamp<std::int64_t>(integer_of(json, "more"), 0, 1'000'000'000));
  const Json* over = member(json, "over");
  if (over == nullptr || !over->is_array()) return;
  for (const Json& chapter : *over) {
    if (chapter.is_object() && desk.over.size() < kept_max) desk.over.push_back(chapter_from(chapter));
  }
}

void Digests::adopt_rules(Turn& turn) {
  std::set<std::string> wanted;
  for_digests(turn.rules, [&](const DigestStep&, const std::string& receiver) { wanted.insert(receiver); });
  std::erase_if(desks_, [&](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    turn.effects.notes.push_back({std::string(prefix) + entry.first, "", true});
    return true;
  });
  for (const std::string& receiver : wanted) {
    const auto [place, fresh] = desks_.try_emplace(receiver);
    Desk& desk = place->second;
    if (fresh) {
      desk.last = turn.now.wall;
      desk.touched = true;
    }
    plan(turn.rules, receiver, desk);
  }
}

void Digests::write(Turn& turn) {
  for (auto& [receiver, desk] : desks_) {
    if (!std::exchange(desk.touched, false)) continue;
    Json json = {{"last", to_json_value(desk.last)}, {"more", desk.more}, {"over", Json::array()}};
    for (const Chapter& chapter : desk.over) json["over"].push_back(chapter_json(chapter));
    turn.effects.notes.push_back({std::string(prefix) + receiver, dump(json), false});
  }
}

std::optional<Steady> Digests::wake_at(const Now& now) const {
  std::optional<Steady> at;
  for (const auto& entry : desks_) {
    if (entry.second.next == Wall::max()) continue;
    const Duration wait = std::clamp<Duration>(entry.second.next - now.wall, Duration::zero(), hours(1));
    if (!at || now.steady + wait < *at) at = now.steady + wait;
  }
  return at;
}

}  // namespace vitald::alerting
