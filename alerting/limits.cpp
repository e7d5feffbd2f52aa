#include "alerting/limits.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "alerting/limit_words.hpp"

namespace vitald::alerting {
namespace {

Duration window_of(const Limit& limit, const Threshold& threshold) {
  return threshold.per.value_or(limit.over.value_or(Duration::zero()));
}

bool judges_growth(const Limit& limit) {
  if (limit.kind == SampleKind::counter || limit.over) return true;
  return (limit.warning && limit.warning->per) || (limit.critical && limit.critical->per);
}

bool needs_memory(const Limit& limit) {
  return limit.kind == SampleKind::event || judges_growth(limit) || limit.clear || limit.hold_for > Duration::zero() ||
         limit.of_runs > 1;
}

/// A counter that fell has started anew: what it shows now has grown since then.
double growth(const Limit& limit, const Row& row, double value) {
  if (limit.kind == SampleKind::event) return value;
  if (!row.last) return 0;
  if (limit.kind == SampleKind::counter && value < *row.last) return value;
  return value - *row.last;
}

std::optional<double> scaled(const Threshold& threshold, const Sample& sample, double value) {
  if (!threshold.of_maximum) return value;
  if (!sample.maximum || *sample.maximum <= 0) return std::nullopt;
  return value / *sample.maximum;
}

/// The number that stands against `threshold`, or nothing where this run cannot tell.
std::optional<double> measured(const Limit& limit, const Threshold& threshold, const Sample& sample, const Row& row,
                               const LevelMemory& level, double grown, Steady at) {
  const Duration span = window_of(limit, threshold);
  if (span > Duration::zero()) {
    if (limit.below && at - row.known_since < span) return std::nullopt;
    return scaled(threshold, sample, sum(level.window, at));
  }
  return scaled(threshold, sample, limit.kind == SampleKind::counter ? grown : sample.value);
}

bool crosses(const Limit& limit, double value, double threshold) {
  return limit.below ? value <= threshold : value >= threshold;
}

/// One threshold of one row at one run.
struct Reading {
  const Threshold* threshold = nullptr;
  std::optional<double> value;
  bool crossed = false;
  Duration window{};  // zero where it is no growth within a time
};

Reading read(const Limit& limit, const std::optional<Threshold>& threshold, const Sample& sample, const Row& row,
             const LevelMemory& level, double grown, Steady at) {
  Reading reading;
  if (!threshold) return reading;
  reading.threshold = &*threshold;
  reading.value = measured(limit, *threshold, sample, row, level, grown, at);
  reading.crossed = reading.value && crosses(limit, *reading.value, threshold->value);
  reading.window = window_of(limit, *threshold);
  return reading;
}

void feed(const Limit& limit, const std::optional<Threshold>& threshold, LevelMemory& level, double grown, Steady at) {
  if (!threshold) return;
  level.window.span = window_of(limit, *threshold);
  if (level.window.span > Duration::zero()) add(level.window, at, grown);
}

/// `of` and `for`: whether a raw crossing counts as one.
bool sustained(const Limit& limit, LevelMemory& level, bool crossed, Steady at) {
  if (limit.of_runs > 1) {
    level.runs <<= 1;
    level.runs.set(0, crossed);
    const auto older = static_cast<std::size_t>(std::max(0, 100 - limit.of_runs));
    crossed = (level.runs << older).count() >= static_cast<std::size_t>(limit.of_bad);
  }
  if (!crossed) {
    level.since.reset();
    return false;
  }
  if (!level.since) level.since = at;
  return at - *level.since >= limit.hold_for;
}

bool has(std::span<const Sample> samples, const std::string& name) {
  return std::any_of(samples.begin(), samples.end(),
                     [&](const Sample& sample) { return sample.name == name && std::isfinite(sample.value); });
}

class Judge {
 public:
  Judge(LimitMemory& memory, Steady at, Steady release) : memory_(memory), at_(at), release_(release) {}

  void sample(const Limit& limit, const Sample& sample) {
    if (!std::isfinite(sample.value)) return;
    if (!needs_memory(limit)) return stateless(limit, sample);
    Row* row = row_of(sample);
    if (row == nullptr) {
      if (!judges_growth(limit)) stateless(limit, sample);
      return;
    }
    const double grown = judges_growth(limit) ? growth(limit, *row, sample.value) : 0;
    if (judges_growth(limit) && (grown != 0 || row->last != sample.value)) judged_.remembers = true;
    feed(limit, limit.warning, row->warning, grown, at_);
    feed(limit, limit.critical, row->critical, grown, at_);
    if (judges_growth(limit) && limit.kind != SampleKind::event) row->last = sample.value;
    const Reading warning = read(limit, limit.warning, sample, *row, row->warning, grown, at_);
    const Reading critical = read(limit, limit.critical, sample, *row, row->critical, grown, at_);
    if (limit.kind == SampleKind::event) {
      event(limit, sample, *row, warning, critical);
    } else {
      level(limit, sample, *row, warning, critical);
    }
  }

  /// An answer that should have had the sample.
  void absent(const Limit& limit) {
    static constexpr Threshold none;
    Sample nothing;
    nothing.name = limit.sample;
    nothing.says = "the answer has no '" + limit.sample + "'";
    const Reading warning{&none, 0, true}, critical{&none, 0, limit.missing == Status::critical};
    if (!needs_memory(limit)) return blame(*limit.missing, limit, nothing, warning);
    if (Row* const row = row_of(nothing)) level(limit, nothing, *row, warning, critical);
  }

  /// Rows that this run did not have are fine: a queue without a pending job has no row.
  void sweep() {
    std::erase_if(memory_.rows, [&](Row& row) {
      if (row.run == memory_.run) return false;
      judged_.remembers = judged_.remembers || row.raw != Status::ok;
      row.raw = Status::ok;
      bool forgettable = !row.last;
      for (LevelMemory* level : {&row.warning, &row.critical}) {
        level->since.reset();
        level->runs <<= 1;
        forgettable = forgettable && level->until <= at_ && level->window.buckets.empty();
      }
      return forgettable;
    });
  }

  Judged finish() {
    if (others_ > 0) judged_.why += ", and " + std::to_string(others_) + " more";
    return std::move(judged_);
  }

 private:
  void stateless(const Limit& limit, const Sample& sample) {
    const Row none;
    const Reading critical = read(limit, limit.critical, sample, none, none.critical, 0, at_);
    const Reading warning = read(limit, limit.warning, sample, none, none.warning, 0, at_);
    if (critical.crossed) {
      blame(Status::critical, limit, sample, critical);
    } else if (warning.crossed) {
      blame(Status::warning, limit, sample, warning);
    }
  }

  void level(const Limit& limit, const Sample& sample, Row& row, const Reading& warning, const Reading& critical) {
    Status raw = critical.crossed ? Status::critical : warning.crossed ? Status::warning : Status::ok;
    if (raw == Status::ok && row.raw != Status::ok && limit.clear) {
      const Reading& kept = warning.threshold != nullptr ? warning : critical;
      const bool cleared = !kept.value || !crosses(limit, *kept.value, limit.clear->value);
      if (!cleared) raw = warning.threshold != nullptr ? Status::warning : Status::critical;
    }
    const auto memory = [&] {
      return std::tuple(row.raw, row.warning.since, row.critical.since, row.warning.runs, row.critical.runs);
    };
    const auto before = memory();
    row.raw = raw;
    const bool is_critical = sustained(limit, row.critical, critical.threshold && raw == Status::critical, at_);
    const bool is_warning = sustained(limit, row.warning, warning.threshold && raw != Status::ok, at_);
    if (before != memory() || waits(limit, row.warning) || waits(limit, row.critical)) judged_.remembers = true;
    if (is_critical) {
      blame(Status::critical, limit, sample, critical);
    } else if (is_warning) {
      blame(Status::warning, limit, sample, warning);
    }
  }

  /// A restart counts what had passed when the record was written, so that must be kept up to date until `for` is over.
  bool waits(const Limit& limit, const LevelMemory& level) const {
    return limit.hold_for > Duration::zero() && level.since &&
           at_ - *level.since < limit.hold_for + std::chrono::minutes(2);
  }

  void event(const Limit& limit, const Sample& sample, Row& row, const Reading& warning, const Reading& critical) {
    if (sample.value <= 0) return;  // nothing happened
    if (!warning.crossed && !critical.crossed) return;
    judged_.remembers = judged_.happened = true;
    if (critical.crossed) row.critical.until = release_;
    if (warning.crossed) row.warning.until = release_;
    const Reading& worst = critical.crossed ? critical : warning;
    memory_.event_why = words(limit, sample, *worst.threshold, *worst.value, worst.window);
  }

  void blame(Status status, const Limit& limit, const Sample& sample, const Reading& reading) {
    if (status == judged_.level) ++others_;
    if (status == judged_.level || worse(status, judged_.level) != status) return;
    judged_.level = status;
    others_ = 0;
    judged_.why = words(limit, sample, *reading.threshold, *reading.value, reading.window);
  }

  /// The row's memory, made when it is new; nothing when there are 50 already and all of them are in use.
  Row* row_of(const Sample& sample) {
    auto& rows = memory_.rows;
    for (std::size_t tried = 0; tried < rows.size(); ++tried) {
      // Runs tend to list their rows in the same order, so the search begins after the row that was found last.
      const std::size_t index = (next_ + tried) % rows.size();
      if (rows[index].sample != sample.name || rows[index].labels != sample.labels) continue;
      next_ = index + 1;
      rows[index].run = memory_.run;
      return &rows[index];
    }
    if (rows.size() >= LimitMemory::rows_max) {
      const auto oldest = std::min_element(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
        return memory_.run - a.run > memory_.run - b.run;  // as distances, since the count of runs wraps
      });
      if (oldest->run == memory_.run) return nullptr;
      rows.erase(oldest);
    }
    Row& row = rows.emplace_back();
    row.sample = sample.name;
    row.labels = sample.labels;
    row.known_since = at_;
    row.run = memory_.run;
    next_ = rows.size();
    return &row;
  }

  LimitMemory& memory_;
  Steady at_, release_;
  Judged judged_;
  int others_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

Judged judge_limits(std::span<const Limit> limits, LimitMemory& memory, std::span<const Sample> samples, bool complete,
                    Steady at, Steady release) {
  ++memory.run;
  Judge judge(memory, at, release);
  const DerivedSamples derived = derive(limits, memory.derived, samples, at);
  for (const auto& part : {samples, std::span<const Sample>(derived.samples)}) {
    for (const Sample& sample : part) {
      for (const Limit& limit : limits) {
        if (limit.sample == sample.name) judge.sample(limit, sample);
      }
    }
  }
  if (complete) {
    for (const Limit& limit : limits) {
      if (limit.missing && !has(samples, limit.sample)) judge.absent(limit);
    }
    judge.sweep();
  }
  Judged judged = judge.finish();
  judged.remembers = judged.remembers || derived.remembers;
  return judged;
}

Status held_by_events(const LimitMemory& memory, Steady at) {
  Status status = Status::ok;
  for (const Row& row : memory.rows) {
    if (row.critical.until > at) return Status::critical;
    if (row.warning.until > at) status = Status::warning;
  }
  return status;
}

std::optional<Steady> next_release(const LimitMemory& memory, Steady at) {
  std::optional<Steady> next;
  for (const Row& row : memory.rows) {
    for (const Steady until : {row.warning.until, row.critical.until}) {
      if (until > at && (!next || until < *next)) next = until;
    }
  }
  return next;
}

void adopt_limits(LimitMemory& memory, std::span<const Limit> limits) {
  adopt_derived(memory.derived, limits);
  std::erase_if(memory.rows, [&](Row& row) {
    const auto limit =
        std::find_if(limits.begin(), limits.end(), [&](const Limit& l) { return l.sample == row.sample; });
    if (limit == limits.end() || !needs_memory(*limit)) return true;
    const auto adopt = [&](const std::optional<Threshold>& threshold, LevelMemory& level) {
      if (!threshold || window_of(*limit, *threshold) != level.window.span) level.window = {};
    };
    adopt(limit->warning, row.warning);
    adopt(limit->critical, row.critical);
    return false;
  });
}

}  // namespace vitald::alerting
