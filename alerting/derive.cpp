#include "alerting/derive.hpp"

#include <algorithm>
#include <cmath>

#include "config/trend.hpp"

namespace vitald::alerting {
namespace {

constexpr double longest = 366.0 * 24 * 3600;  // seconds: what takes longer is no trend that anybody acts on

double seconds(Duration length) { return std::chrono::duration<double>(length).count(); }

/// A counter that fell has started anew: what it shows now has grown since then.
double grown(SampleKind kind, std::optional<double>& last, double value) {
  if (kind == SampleKind::event) return value;
  const double before = last.value_or(value);
  last = value;
  return value < before ? value : value - before;
}

class Deriver {
 public:
  Deriver(DerivedMemory& memory, std::span<const Sample> samples, Steady at)
      : memory_(memory), samples_(samples), at_(at) {}

  void derive(const Limit& limit) {
    for (const Sample& sample : samples_) {
      if (sample.name != limit.derived->of || !std::isfinite(sample.value)) continue;
      const auto value = limit.derived->how == Derived::How::ratio ? ratio(limit, sample) : trend(limit, sample);
      if (value) made.samples.push_back({.name = limit.sample, .value = *value, .labels = sample.labels});
    }
  }

  DerivedSamples made;

 private:
  /// The denominator of the same row, or the only one for all rows.
  const Sample* whole_of(const Derived& derived, const Sample& part) const {
    const Sample* unlabelled = nullptr;
    for (const Sample& sample : samples_) {
      if (sample.name != derived.whole || !std::isfinite(sample.value)) continue;
      if (sample.labels == part.labels) return &sample;
      if (sample.labels.empty()) unlabelled = &sample;
    }
    return unlabelled;
  }

  std::optional<double> ratio(const Limit& limit, const Sample& part) {
    const Derived& derived = *limit.derived;
    const Sample* const whole = whole_of(derived, part);
    if (whole == nullptr) return std::nullopt;
    double counted = part.value, all = whole->value;
    if (derived.over > Duration::zero()) {
      DerivedRow* const row = row_of(limit, part.labels);
      if (row == nullptr) return std::nullopt;
      const double more = grown(derived.of_kind, row->last, part.value);
      const double more_of_all = grown(derived.whole_kind, row->last_whole, whole->value);
      made.remembers = made.remembers || more != 0 || more_of_all != 0;
      row->part.span = row->whole.span = derived.over;
      add(row->part, at_, more);
      add(row->whole, at_, more_of_all);
      counted = sum(row->part, at_);
      all = sum(row->whole, at_);
    }
    if (!(all > 0) || all < derived.at_least) return std::nullopt;
    return counted / all;
  }

  std::optional<double> trend(const Limit& limit, const Sample& sample) {
    const Derived& derived = *limit.derived;
    double target = derived.target.value;
    if (derived.target.of_maximum) {
      if (!sample.maximum || *sample.maximum <= 0) return std::nullopt;
      target *= *sample.maximum;
    }
    if (derived.falling ? sample.value <= target : sample.value >= target) return 0;
    DerivedRow* const row = row_of(limit, sample.labels);
    if (row == nullptr) return std::nullopt;
    note(derived, *row, sample.value);
    const auto pace = pace_of(derived, *row);
    if (!pace) return std::nullopt;
    const double left = (target - sample.value) / *pace;
    return left <= longest ? std::optional(left) : std::nullopt;
  }

  void note(const Derived& derived, DerivedRow& row, double value) {
    auto& points = row.points;
    std::erase_if(points, [&](const DerivedRow::Point& point) { return point.at <= at_ - derived.over; });
    const Duration between = derived.over / static_cast<int>(DerivedRow::points_max);
    if (!points.empty() && at_ < points.back().at + between) return;
    if (points.size() == DerivedRow::points_max) points.erase(points.begin());
    points.push_back({at_, value});
    made.remembers = true;
  }

  std::optional<double> pace_of(const Derived& derived, const DerivedRow& row) const {
    std::vector<TrendPoint> line;
    for (const auto& [at, value] : row.points) line.push_back({seconds(at - row.points.front().at), value});
    return slope(line, derived.falling ? Direction::falling : Direction::rising);
  }

  /// The row's memory, made when it is new; nothing when there are so many already and all of them are in use.
  DerivedRow* row_of(const Limit& limit, const Labels& labels) {
    auto& rows = memory_.rows;
    const auto known = std::find_if(rows.begin(), rows.end(), [&](const DerivedRow& row) {
      return row.sample == limit.sample && row.labels == labels;
    });
    if (known != rows.end()) {
      known->used = at_;
      return &*known;
    }
    if (rows.size() == DerivedMemory::rows_max) {
      const auto oldest =
          std::min_element(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
      if (oldest->used == at_) return nullptr;
      rows.erase(oldest);
    }
    return &rows.emplace_back(DerivedRow{.sample = limit.sample, .labels = labels, .used = at_});
  }

  DerivedMemory& memory_;
  std::span<const Sample> samples_;
  Steady at_;
};

}  // namespace

DerivedSamples derive(std::span<const Limit> limits, DerivedMemory& memory, std::span<const Sample> samples,
                      Steady at) {
  Deriver deriver(memory, samples, at);
  for (const Limit& limit : limits) {
    if (limit.derived) deriver.derive(limit);
  }
  return std::move(deriver.made);
}

void adopt_derived(DerivedMemory& memory, std::span<const Limit> limits) {
  std::erase_if(memory.rows, [&](DerivedRow& row) {
    const auto limit = std::find_if(limits.begin(), limits.end(),
                                    [&](const Limit& one) { return one.sample == row.sample && one.derived; });
    if (limit == limits.end()) return true;
    if (row.part.span != Duration::zero() && row.part.span != limit->derived->over) row.part = row.whole = {};
    return false;
  });
}

}  // namespace vitald::alerting
