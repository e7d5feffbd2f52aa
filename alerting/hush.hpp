// The hush stage: what is muted, by whom, why and until when. Silences are made by people and end by themselves;
// maintenance windows are part of the rules and come again and again.
//
// Muted means that nothing goes out about an incident, but for the recovery that is owed to those who were told before.
// Checks run on, incidents open and close. Who asks is Incidents (incident_hush.cpp acts on it) and Causes.
//
// A silence lasts its length on the clock that nobody sets; over a restart the time away counts. A window is on while
// the wall clock stands in it: a clock that is set takes the windows with it, and nobody else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/effects.hpp"
#include "alerting/turn.hpp"
#include "config/result.hpp"

namespace vitald::alerting {

/// Why an incident is muted: of several, the one that ends last.
struct Muting {
  std::string by;     // "silence 7k2m", "maintenance deploy window"
  std::string owner;  // of a silence
  std::string reason;
  Wall until{};
};

struct Silence {
  std::string id;  // as an incident's: 20 characters, of which people type the first
  Matcher checks;
  std::string owner, reason;
  Steady begun{}, ends{};
  bool until_recovered = false;
  bool met = false;  // something that it matches has been bad
};

/// For the page and the command line.
struct SilenceView {
  std::string id;
  std::string checks;  // Matcher::text()
  std::string owner, reason;
  Wall begun{}, until{};
  bool until_recovered = false;
};
struct MaintenanceView {
  std::string name;
  std::string checks;
  std::optional<Span> active = {};  // the occurrence that holds now
  Span next{};
};

class Hush {
 public:
  static constexpr Duration longest = std::chrono::hours(24 * 30);
  static constexpr std::size_t silences_max = 200;

  /// Brings everything up to `turn.now`, silences end. True when what is muted may differ from before.
  bool pass(Turn& turn);
  /// The windows of new rules, which must live until the next call.
  void adopt_rules(Turn& turn);
  void add(Turn& turn, Silence silence);
  /// False when there is none of that id.
  bool end(Turn& turn, const std::string& id);

  std::optional<Muting> mutes(std::string_view check, const Labels& labels) const;

  /// Whether some silence waits for what it matches to recover.
  bool awaits_recovery() const;
  /// `is_bad(matcher)`: whether something that fits is bad now. Ends the silences whose wait is over; true when one
  /// did.
  template <class IsBad>
  bool look(Turn& turn, const IsBad& is_bad) {
    std::vector<std::string> over;
    for (auto& [id, silence] : silences_) {
      if (!silence.until_recovered) continue;
      const bool bad = is_bad(silence.checks);
      if (bad && !silence.met) {
        silence.met = true;
        write(turn, silence);
      } else if (!bad && silence.met) {
        over.push_back(id);
      }
    }
    for (const std::string& id : over) end(turn, id);
    return !over.empty();
  }

  /// Notes of the kind "silence".
  void restore(const std::vector<NoteRecord>& notes, const Now& now);
  /// The daemon stops: every silence is written with the ages of now.
  void write_all(Turn& turn);
  std::optional<Steady> wake_at(const Now& now) const;

  std::vector<SilenceView> silences() const;
  std::vector<MaintenanceView> maintenance(Wall now) const;
  std::size_t count() const { return silences_.size(); }
  const std::string& newest() const { return newest_; }
  Result<std::string> find(std::string_view prefix) const;

 private:
  struct Planned {
    const Maintenance* rule = nullptr;
    std::optional<Span> active;
  };
  void look_at_calendar(Wall now);
  void find_first_end();
  void write(Turn& turn, const Silence& silence);
  Wall wall_of(Steady at) const { return now_.wall + (at - now_.steady); }

  std::map<std::string, Silence, std::less<>> silences_;  // by id
  std::optional<Steady> first_end_;                       // of the silences
  std::vector<Planned> windows_;
  std::optional<Wall> changes_;  // when the next window begins or ends; nothing without windows
  Now now_{};                    // of the latest step
  Steady written_{};             // when the silences were last written
  std::string newest_;
};

}  // namespace vitald::alerting
