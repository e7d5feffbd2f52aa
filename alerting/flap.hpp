// The flap stage, between confirm and the incident: checks that come and go.
//
// Two things are judged. A check that keeps changing and is bad for much of the last half an hour is *unstable*: that
// counts as bad even where no single failure lasts long enough to be confirmed. And a check whose incidents come and go
// is *damped*: each time that people had to be told of it within a day makes the demand for calm longer, that is, how
// long it must have been good without a break until it counts as recovered. It rises as promptly as ever.
//
// Only runs that were measured count, and each speaks for the time until the next: unknown is neither good nor bad.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "alerting/window.hpp"
#include "config/now.hpp"
#include "config/observation.hpp"

namespace vitald::alerting {

constexpr Duration flap_window = std::chrono::minutes(30);

struct Turns {
  Window seconds{flap_window, {}};  // for so long it was as bad as that
  Window changes{flap_window, {}};  // so often it turned so, or back

  friend bool operator==(const Turns&, const Turns&) = default;
};

struct Flapping {
  std::optional<Steady> seen = {};  // start of the latest measured run; nothing while that was not a moment ago
  Status latest = Status::ok;       // its verdict
  Turns bad, critical;              // at least a warning; critical
  Duration calm{}, lower{};         // without a break so far: good; less than critical
  Duration down{};                  // without a break so far: bad

  std::vector<Steady> told;  // when people were told that it is bad, or worse than before: of the last day, at most 32
  Duration demand{};         // of calm, until the open incident may end
  bool unstable = false;     // that is what people were told last
  bool rested = false;       // it has been calm for long since they were told, though not for as long as demanded
  bool resting = false;      // it is good, and held open by the demand alone
};

/// A measured run: `verdict` is ok, warning or critical. `every` is the check's. True when it should be written soon.
bool observe(Flapping& state, Status verdict, Steady started, Duration every);
/// The check could not be measured.
inline void look_away(Flapping& state) { state.seen.reset(); }

/// What counts, when `found` is what runs and events have confirmed and `settled` counted so far. `verdict` is that of
/// this run, ok where there was none. Only where people were `told` of the check is a fall held back.
Status counted(const Flapping& state, Status found, Status settled, Status verdict, bool told, Steady now);
/// The words for a check that counts as bad while nothing of it is confirmed: "unstable: bad in 48% of the last 30 min,
/// 41 changes"; and since when it has been so.
std::string unstable_words(const Flapping& state, Status settled, Steady now);
Steady unstable_since(const Flapping& state, Steady now);

/// The check counts as bad, is held open, and it is good. True when that begins with this run.
bool rests(Flapping& state, Status found, Status settled);
/// It was unstable, or good for a while, and now it has been bad without a break: people should know.
bool stays_down(const Flapping& state, Status found, Status settled, Steady now);

/// People are told that it is bad. What the message adds: "bad 5 times since 09:12:40 UTC", or "".
std::string rise(Flapping& state, bool unstable, const Now& now);
/// It counts as good. What the message adds: "steady for 15 min", or "".
std::string fall(Flapping& state);

}  // namespace vitald::alerting
