#include "daemon/exposition.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "daemon/series_text.hpp"

namespace vitald::daemon {
namespace {

constexpr std::size_t most_phases = 10;
constexpr std::size_t rows_in_slice = 2000;

/// In the order of check_metrics().
enum class Fixed { status, up, duration, phase, last_run, runs, missed, dropped, sample, free_sample };
constexpr std::size_t fixed_without_phases = 7;

bool has_run(const BoardRow& row) { return row.runs > 0; }
bool is_duration(const Sample& sample) { return sample.name == "duration"; }  // vitald_check_last_duration_seconds

std::size_t phases_of(const BoardRow& row) { return std::min(row.observation.phases.size(), most_phases); }

/// How many of the row's samples find room among its series.
std::size_t samples_kept(const BoardRow& row) {
  return std::min(row.observation.samples.size(), most_series_per_check - fixed_without_phases - phases_of(row));
}

/// A probe gives its samples in about the order of its table, so the search begins at `hint`.
bool in_table(const probes::ProbeKind& kind, std::string_view name, std::size_t hint) {
  const std::size_t count = kind.samples.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (kind.samples[(hint + i) % count].name == name) return true;
  }
  return false;
}

bool carries(const Labels& labels, std::string_view name) {
  return std::any_of(labels.begin(), labels.end(), [&](const auto& label) { return label.first == name; });
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += ',';
  out += name;
  out += "=\"";
  append_label_value(out, value);
  out += '"';
}

/// `name{check="…",probe="…",…`, still open. A label of the sample outranks the user's of the same name, and `reserved`
/// (that the caller will add) both: a name that occurs twice in one series makes Prometheus refuse the scrape.
void open_series(std::string& out, std::string_view metric, const BoardRow& row, const Labels& own = {},
                 std::string_view reserved = "check") {
  const auto refused = [&](std::string_view name) {
    return !is_label_name(name) || name == "check" || name == "probe" || name == reserved;
  };
  out += metric;
  out += "{check=\"";
  append_label_value(out, row.check);
  out += '"';
  append_label(out, "probe", row.kind->name);
  for (const auto& [name, value] : row.labels) {
    if (!refused(name) && !carries(own, name)) append_label(out, name, value);
  }
  for (const auto& [name, value] : own) {
    if (!refused(name)) append_label(out, name, value);
  }
}

void close_series(std::string& out, double value) {
  out += "} ";
  append_number(out, value);
  out += '\n';
}

double seconds(Duration length) { return std::chrono::duration<double>(length).count(); }

/// To the millisecond: more digits would only make the text longer.
double timestamp(Wall at) {
  return static_cast<double>(std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count()) / 1000;
}

double shown_value(const SampleSpec* spec, const Sample& sample, const BoardRow& row) {
  if (spec == nullptr || spec->kind != SampleKind::event) return sample.value;
  for (const EventTotal& total : row.events) {
    if (total.sample == sample.name && total.labels == sample.labels) return total.value;
  }
  return sample.value;
}

std::string_view unit_suffix(Unit unit) {
  switch (unit) {
    case Unit::seconds:
      return "_seconds";
    case Unit::bytes:
      return "_bytes";
    case Unit::ratio:
      return "_ratio";
    case Unit::none:
      break;
  }
  return "";
}

}  // namespace

struct SeriesWriter::Family {
  std::string metric;
  std::string_view type;
  std::string_view help;
  Fixed what = Fixed::status;
  const SampleSpec* spec = nullptr;
  std::shared_ptr<const Members> members = nullptr;  // nothing: every row
};

std::string sample_metric(std::string_view probe, const SampleSpec& spec) {
  std::string name = "vitald_" + metric_name(probe) + "_" + metric_name(spec.name);
  const std::string_view unit = unit_suffix(spec.unit);
  if (!name.ends_with(unit)) name += unit;
  if (spec.kind != SampleKind::gauge && !name.ends_with("_total")) name += "_total";
  return name;
}

const std::vector<CheckMetric>& check_metrics() {
  static const std::vector<CheckMetric> metrics = {
      {"vitald_check_status", "gauge", "Latest verdict of the check: 0 ok, 1 warning, 2 critical, 3 unknown."},
      {"vitald_check_up", "gauge",
       "1 when the target did what the check asks of it, 0 when not; absent while unknown."},
      {"vitald_check_last_duration_seconds", "gauge", "How long the last run of the check took."},
      {"vitald_check_phase_seconds", "gauge", "How long one phase of the last run took."},
      {"vitald_check_last_run_timestamp_seconds", "gauge", "When the last finished run of the check began."},
      {"vitald_check_runs_total", "counter", "Finished runs of the check since the daemon started."},
      {"vitald_check_missed_slots_total", "counter", "Slots of the check's schedule that passed without a run."},
      {"vitald_check_series_dropped", "gauge",
       "Series of the check's last run that were left out (50 for each check)."},
  };
  return metrics;
}

SeriesWriter::SeriesWriter(Board::Rows rows) : rows_(std::move(rows)) {
  label_begins_.push_back(0);
  for (std::size_t i = 0; i < check_metrics().size(); ++i) {
    const CheckMetric& metric = check_metrics()[i];
    families_.push_back({std::string(metric.name), metric.type, metric.help, static_cast<Fixed>(i)});
  }
  std::map<std::string_view, std::shared_ptr<Members>>
      kinds;  // by name, for an order that does not depend on addresses
  std::erase_if(rows_, [](const auto& row) { return row->kind == nullptr; });
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    auto& members = kinds[rows_[i]->kind->name];
    if (members == nullptr) members = std::make_shared<Members>();
    members->push_back(static_cast<std::uint32_t>(i));
  }
  for (const auto& [name, members] : kinds) {
    for (const SampleSpec& spec : rows_[members->front()]->kind->samples) {
      const std::string_view type = spec.kind == SampleKind::gauge ? "gauge" : "counter";
      families_.push_back({sample_metric(name, spec), type, spec.help, Fixed::sample, &spec, members});
    }
  }
  families_.push_back({"vitald_query_value", "gauge", "A number that the check's own query, or its plug-in, gave.",
                       Fixed::free_sample});
}

SeriesWriter::~SeriesWriter() = default;
SeriesWriter::SeriesWriter(SeriesWriter&&) noexcept = default;

bool SeriesWriter::next(std::string& out, std::size_t bytes) {
  const std::size_t enough = out.size() + bytes;
  std::size_t visits = rows_in_slice;  // rows that have nothing to say cost time as well
  while (family_ < families_.size()) {
    const Family& family = families_[family_];
    const std::size_t rows = family.members ? family.members->size() : rows_.size();
    while (row_ < rows) {
      if (out.size() >= enough || visits == 0) return true;
      --visits;
      write_row(out, family.members ? (*family.members)[row_] : row_);
      ++row_;
    }
    ++family_;
    row_ = 0;
    begun_ = false;
  }
  return false;
}

void SeriesWriter::begin_family(std::string& out) {
  if (begun_) return;
  begun_ = true;
  const Family& family = families_[family_];
  out += "# HELP " + family.metric + " ";
  append_help(out, family.help);
  out += "\n# TYPE " + family.metric + " ";
  out += family.type;
  out += '\n';
}

/// `name{…`, still open, with the row's own labels as the first family wrote them.
void SeriesWriter::open_known(std::string& out, std::size_t index, std::string_view reserved) const {
  const std::string& metric = families_[family_].metric;
  if (!reserved.empty() && carries(rows_[index]->labels, reserved)) {
    open_series(out, metric, *rows_[index], {}, reserved);
    return;
  }
  out += metric;
  out.append(labels_, label_begins_[index], label_begins_[index + 1] - label_begins_[index]);
}

void SeriesWriter::plain_series(std::string& out, std::size_t index, double value) const {
  open_known(out, index, "");
  close_series(out, value);
}

void SeriesWriter::write_row(std::string& out, std::size_t index) {
  const BoardRow& row = *rows_[index];
  const Family& family = families_[family_];
  const std::size_t before = out.size();
  const bool first = !begun_;
  begin_family(out);
  const std::size_t head = out.size();
  switch (family.what) {
    case Fixed::status:
      open_series(out, family.metric, row);
      labels_.append(out, head + family.metric.size(), std::string::npos);
      label_begins_.push_back(labels_.size());
      close_series(out, static_cast<int>(row.view.verdict));
      break;
    case Fixed::up:
      if (has_run(row) && row.observation.outcome != Outcome::unmeasured && row.view.verdict != Status::unknown) {
        plain_series(out, index, row.observation.outcome == Outcome::answered ? 1 : 0);
      }
      break;
    case Fixed::duration:
      if (has_run(row)) plain_series(out, index, seconds(row.took));
      break;
    case Fixed::phase:
      for (std::size_t i = 0; i < phases_of(row); ++i) {
        open_known(out, index, "phase");
        append_label(out, "phase", row.observation.phases[i].name);
        close_series(out, seconds(row.observation.phases[i].took));
      }
      break;
    case Fixed::last_run:
      if (has_run(row)) plain_series(out, index, timestamp(row.started));
      break;
    case Fixed::runs:
      plain_series(out, index, static_cast<double>(row.runs));
      break;
    case Fixed::missed:
      plain_series(out, index, static_cast<double>(row.missed));
      break;
    case Fixed::dropped: {
      const std::size_t dropped = row.observation.samples.size() - samples_kept(row);
      if (dropped > 0) plain_series(out, index, static_cast<double>(dropped));
      break;
    }
    case Fixed::sample:
    case Fixed::free_sample:
      write_samples(out, index);
      break;
  }
  if (first && out.size() == head) {  // nothing to say yet: no empty family
    out.resize(before);
    begun_ = false;
  }
}

void SeriesWriter::write_samples(std::string& out, std::size_t index) {
  const BoardRow& row = *rows_[index];
  const Family& family = families_[family_];
  std::array<std::pair<std::size_t, std::size_t>, most_series_per_check>
      written;  // where this row's series stand in `out`
  std::size_t count = 0;
  const std::size_t kept = samples_kept(row);
  for (std::size_t i = 0; i < kept; ++i) {
    const Sample& sample = row.observation.samples[i];
    const bool free = family.what == Fixed::free_sample;
    if (free ? in_table(*row.kind, sample.name, i) || is_duration(sample) : sample.name != family.spec->name) continue;
    const std::size_t begin = out.size();
    if (sample.labels.empty()) {
      open_known(out, index, free ? "column" : "");
    } else {
      open_series(out, family.metric, row, sample.labels, free ? "column" : "check");
    }
    if (free) append_label(out, "column", sample.name);
    const std::string_view series = std::string_view(out).substr(begin);
    const bool twice = std::any_of(written.begin(), written.begin() + count, [&](const auto& other) {
      return series == std::string_view(out).substr(other.first, other.second);
    });
    if (twice) {  // the same labels again: Prometheus would refuse the scrape
      out.resize(begin);
      continue;
    }
    written[count++] = {begin, series.size()};
    close_series(out, shown_value(family.spec, sample, row));
  }
}

}  // namespace vitald::daemon
