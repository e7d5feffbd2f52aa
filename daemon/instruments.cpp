#include "daemon/instruments.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "daemon/process_metrics.hpp"
#include "daemon/version.hpp"

namespace vitald::daemon {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

/// Timers of an idle loop fire within 0.1 ms; the aim is 2 ms, and past 10 s no distribution matters any more.
const Histogram::BucketBoundaries lag_buckets = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.025, 0.05,
                                                 0.1,    0.25,  0.5,   1,     2.5,  5,    10};
/// A local TCP connect takes 0.2 ms, the longest sensible time-out a minute.
const Histogram::BucketBoundaries run_buckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                 0.25,   0.5,   1,      2.5,   5,    10,    30,   60};

double seconds(Duration length) { return std::chrono::duration<double>(length).count(); }

}  // namespace

struct Instruments::State {
  prometheus::Registry registry;

  Family<Histogram>& probe_durations = BuildHistogram()
                                           .Name("vitald_probe_duration_seconds")
                                           .Help("How long the runs of one kind of probe took.")
                                           .Register(registry);
  Histogram& schedule_lag = histogram("vitald_schedule_lag_seconds", "How late runs began, counted from their slot.");
  Histogram& loop_lag = histogram("vitald_loop_lag_seconds", "How late the loop's timers fired.");
  Counter& missed = counter("vitald_schedule_missed_slots_total", "Slots of all checks that passed without a run.");

  Family<Counter>& notifications = BuildCounter()
                                       .Name("vitald_notifications_total")
                                       .Help("Attempts to deliver, by how the receiver answered.")
                                       .Register(registry);
  Family<Gauge>& pending =
      BuildGauge().Name("vitald_outbox_pending").Help("Notifications that wait for their receiver.").Register(registry);
  Gauge& oldest =
      gauge("vitald_outbox_oldest_age_seconds", "Age of the oldest notification that waits for any receiver.");
  Family<Gauge>& incidents =
      BuildGauge().Name("vitald_incidents_open").Help("Open incidents, by severity.").Register(registry);

  Gauge& silences = gauge("vitald_silences_active", "Silences that are in force.");
  Gauge& reload_success =
      gauge("vitald_config_last_reload_success", "1 when the last reading of the configuration was taken.");
  Gauge& reload_time = gauge("vitald_config_last_reload_timestamp_seconds", "When the configuration was last read.");
  Gauge& running = gauge("vitald_runs_in_flight", "Runs of probes that are out now.");
  Gauge& waiting = gauge("vitald_runs_waiting", "Runs that are due and wait for room.");
  Gauge& busy = gauge("vitald_workers_busy", "Worker threads at work.");
  Gauge& wedged = gauge("vitald_workers_wedged", "Worker threads whose caller has given up on them.");
  Counter& log_dropped = counter("vitald_log_lines_dropped_total", "Log lines that were not written.");
  Gauge& degraded = gauge("vitald_store_degraded", "1 while the store does not take what is given to it.");

  std::map<std::string, Histogram*, std::less<>> by_kind;
  std::map<std::string, Duration, std::less<>> ages;  // of each receiver's oldest

  Gauge& gauge(const char* name, const char* help) {
    return BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }
  Counter& counter(const char* name, const char* help) {
    return BuildCounter().Name(name).Help(help).Register(registry).Add({});
  }
  Histogram& histogram(const char* name, const char* help) {
    return BuildHistogram().Name(name).Help(help).Register(registry).Add({}, lag_buckets);
  }
};

Instruments::Instruments() : state_(std::make_unique<State>()) {
  for (const Severity severity : {Severity::p0, Severity::p1, Severity::p2, Severity::p3}) incidents_open(severity, 0);
  BuildGauge()
      .Name("vitald_build_info")
      .Help("Always 1; the labels tell which build runs.")
      .Register(state_->registry)
      .Add({{"version", std::string(version())}, {"compiler", __VERSION__}})
      .Set(1);
}

Instruments::~Instruments() = default;

void Instruments::probe_ran(std::string_view kind, Duration took) {
  auto known = state_->by_kind.find(kind);
  if (known == state_->by_kind.end()) {
    Histogram& made = state_->probe_durations.Add({{"probe", std::string(kind)}}, run_buckets);
    known = state_->by_kind.emplace(kind, &made).first;
  }
  known->second->Observe(seconds(took));
}

void Instruments::schedule_lag(Duration late) { state_->schedule_lag.Observe(seconds(late)); }
void Instruments::loop_lag(Duration late) { state_->loop_lag.Observe(seconds(late)); }
void Instruments::slots_missed(std::uint64_t count) { state_->missed.Increment(static_cast<double>(count)); }

void Instruments::notification(std::string_view receiver, std::string_view outcome) {
  state_->notifications.Add({{"receiver", std::string(receiver)}, {"outcome", std::string(outcome)}}).Increment();
}

void Instruments::outbox(std::string_view receiver, std::size_t pending, Duration oldest) {
  state_->pending.Add({{"receiver", std::string(receiver)}}).Set(static_cast<double>(pending));
  state_->ages.insert_or_assign(std::string(receiver), pending == 0 ? Duration::zero() : oldest);
  Duration longest{};
  for (const auto& [name, age] : state_->ages) longest = std::max(longest, age);
  state_->oldest.Set(seconds(longest));
}

void Instruments::incidents_open(Severity severity, std::size_t count) {
  static constexpr const char* words[] = {"P0", "P1", "P2", "P3"};
  state_->incidents.Add({{"severity", words[static_cast<std::size_t>(severity)]}}).Set(static_cast<double>(count));
}

void Instruments::silences_active(std::size_t count) { state_->silences.Set(static_cast<double>(count)); }

void Instruments::reload(bool success, Wall at) {
  state_->reload_success.Set(success ? 1 : 0);
  state_->reload_time.Set(seconds(std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch())));
}

void Instruments::runs_in_flight(std::size_t running, std::size_t waiting) {
  state_->running.Set(static_cast<double>(running));
  state_->waiting.Set(static_cast<double>(waiting));
}

void Instruments::workers(std::size_t busy, std::size_t wedged) {
  state_->busy.Set(static_cast<double>(busy));
  state_->wedged.Set(static_cast<double>(wedged));
}

void Instruments::log_dropped(std::uint64_t count) { state_->log_dropped.Increment(static_cast<double>(count)); }
void Instruments::store_degraded(bool degraded) { state_->degraded.Set(degraded ? 1 : 0); }

std::string Instruments::serialize() const {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  prometheus::TextSerializer().Serialize(text, state_->registry.Collect());
  std::string out = std::move(text).str();
  append_process_metrics(out);
  return out;
}

}  // namespace vitald::daemon
