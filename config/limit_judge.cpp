// judge_limit: thresholds that are right one by one, and make no sense together.
#include <optional>
#include <string>
#include <utility>

#include "config/limit_grammar.hpp"
#include "config/reader.hpp"

namespace vitald::config {
namespace {

/// The mistakes that no single field shows.
class Judge {
 public:
  Judge(const Limit& limit, const Reader& in, Problems& problems) : limit_(limit), in_(in), problems_(problems) {}

  void judge() {
    if (!limit_.warning && !limit_.critical && !limit_.missing) {
      problems_.error(in_.position(), "a limit needs 'warning', 'critical' or both");
      return;
    }
    judge_missing();
    if (limit_.derived) {
      judge_derived();
    } else {
      judge_windows();
    }
    judge_order();
    judge_zero();
    if (limit_.hold_for > Duration::zero() && limit_.of_runs > 1)
      wrong("of", "'for' and 'of' cannot stand together; write one of them");
  }

 private:
  struct Named {
    std::string_view key;
    const std::optional<Threshold>& threshold;
  };

  std::string say(const Threshold& threshold) const { return show_threshold(threshold, limit_.unit); }

  void wrong(std::string_view key, std::string what) { problems_.error(in_.position(key), std::move(what)); }

  void judge_windows() {
    const Named all[] = {{"warning", limit_.warning}, {"critical", limit_.critical}, {"clear", limit_.clear}};
    bool with = false;
    bool without = false;
    for (const auto& [key, threshold] : all) {
      if (!threshold) continue;
      (threshold->per ? with : without) = true;
      if (threshold->per && limit_.over) {
        wrong(key, "the window stands twice, here and in 'over'; write it once");
      }
      if (threshold->of_maximum && limit_.over)
        wrong(key, "a percentage of the maximum cannot be counted over a window");
    }
    if (with && without) {
      wrong("", "either all of 'warning', 'critical' and 'clear' have a window ('3 per 1h'), or none");
    } else if (without && !limit_.over) {
      judge_kind();
    }
  }

  void judge_missing() {
    if (limit_.missing && limit_.kind == SampleKind::event)
      wrong("missing", "'" + limit_.sample + "' counts happenings: without one there is nothing to miss");
  }

  void judge_derived() {
    const Derived& derived = *limit_.derived;
    const Named all[] = {{"warning", limit_.warning}, {"critical", limit_.critical}, {"clear", limit_.clear}};
    for (const auto& [key, threshold] : all) {
      if (threshold && threshold->per) wrong(key, "the window is written once, as 'over: 10m'");
    }
    if (derived.how == Derived::How::trend) return;
    const bool counts = derived.of_kind != SampleKind::gauge;
    if (counts && derived.over == Duration::zero())
      wrong("", "'" + derived.of + "' and '" + derived.whole +
                    "' only ever count up, so their share needs a window: 'over: 10m'");
    if (!counts && derived.over > Duration::zero())
      wrong("over", "'over' is for what counts up; '" + derived.of + "' is a level, and compared as it is");
  }

  void judge_kind() {
    const std::string& name = limit_.sample;
    if (limit_.kind == SampleKind::counter) {
      const std::string_view key = limit_.warning ? "warning" : "critical";
      const auto& threshold = limit_.warning ? limit_.warning : limit_.critical;
      wrong(key,
            "'" + name + "' only ever counts up, so a limit needs a window: write '" + say(*threshold) + " per 1h'");
    } else if (limit_.kind == SampleKind::event) {
      if (limit_.below) wrong("below", "'" + name + "' counts happenings: 'below' needs a window such as '1 per 1h'");
      if (limit_.hold_for > Duration::zero())
        wrong("for", "'" + name + "' counts happenings of one run: 'for' needs a window such as '3 per 1h'");
      if (limit_.clear)
        wrong("clear", "'" + name + "' counts happenings of one run: 'clear' needs a window such as '1 per 1h'");
    }
  }

  static bool comparable(const std::optional<Threshold>& a, const std::optional<Threshold>& b) {
    return a && b && a->of_maximum == b->of_maximum && a->per == b->per;
  }

  /// True when `a` is reached later than `b` on the way to worse.
  bool worse(const Threshold& a, const Threshold& b) const {
    return limit_.below ? a.value < b.value : a.value > b.value;
  }

  void judge_order() {
    const char* beyond = limit_.below ? "below" : "above";
    if (comparable(limit_.warning, limit_.critical) && worse(*limit_.warning, *limit_.critical)) {
      wrong("warning", "'warning' (" + say(*limit_.warning) + ") lies " + beyond + " 'critical' (" +
                           say(*limit_.critical) + "), so it would never be seen; " + direction_advice());
    }
    const auto& mildest = limit_.warning ? limit_.warning : limit_.critical;
    if (limit_.clear && !mildest) wrong("clear", "'clear' needs 'warning' or 'critical'");
    if (comparable(limit_.clear, mildest) && worse(*limit_.clear, *mildest)) {
      wrong("clear", "'clear' (" + say(*limit_.clear) + ") has to lie " + (limit_.below ? "above" : "below") + " " +
                         say(*mildest) + ", where it begins to be bad");
    }
  }

  std::string direction_advice() const {
    return limit_.below ? "if high values are the bad ones, write 'below: false'"
                        : "if low values are the bad ones, write 'below: true'";
  }

  /// Samples with a unit, and happenings, are never negative: every value would reach 0.
  void judge_zero() {
    const bool never_negative = limit_.unit != Unit::none || limit_.kind != SampleKind::gauge;
    if (limit_.below || !never_negative) return;
    const Named all[] = {{"warning", limit_.warning}, {"critical", limit_.critical}};
    for (const auto& [key, threshold] : all) {
      if (threshold && threshold->value <= 0)
        wrong(key, "every value reaches " + say(*threshold) + "; expected more than that");
    }
  }

  const Limit& limit_;
  const Reader& in_;
  Problems& problems_;
};

}  // namespace

void judge_limit(const Limit& limit, const Reader& in, Problems& problems) { Judge(limit, in, problems).judge(); }

}  // namespace vitald::config
