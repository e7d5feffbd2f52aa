// The engine decides: which verdict a check's observation gets, whether it is confirmed, who is told, what it says.
//
// Pure and deterministic: the same constructor arguments and the same events with the same Nows give the same effects,
// byte for byte. It reads no clock, file, environment or random source, never blocks and never throws. The one page on
// which the order of its stages is read is engine.cpp; each stage is one file: limits, confirm, unknown, cause,
// hush, escalate, deliver.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/effects.hpp"
#include "alerting/event.hpp"
#include "alerting/explain.hpp"
#include "alerting/hush.hpp"
#include "alerting/rules.hpp"

namespace vitald::alerting {

/// How a check stands, for /metrics, the page and the API. Times are the engine's own.
struct CheckView {
  Status verdict = Status::unknown;  // of the latest observation, after limits; unknown before the first
  Status settled = Status::ok;       // confirmed
  bool observed = false;             // at least once since the check exists
  int seen = 0, needed = 0;          // "2 of 4" while something is being confirmed or is recovering; else 0 of 0
  std::string why;                   // which limit was crossed, or the observation's summary
  IncidentId incident;               // open one, or ""
  Wall since{};                      // when `settled` last changed
};

struct IncidentView {
  IncidentRecord record;
  std::optional<std::string> acknowledged_by;
  std::optional<Muting> muted = {};
  std::vector<std::string> affected = {};  // checks that are put down to it
};

class Engine {
 public:
  /// `entropy` is fresh for each process start: incident ids come from it. `restored` is what the store holds. What has
  /// to be done about it (re-probes of what was being confirmed, the end of incidents of removed checks) leaves with
  /// the first step, so the shell sends Elapsed at once.
  Engine(std::shared_ptr<const Rules> rules, Snapshot restored, const Now& now,
         const std::array<std::uint64_t, 4>& entropy);
  ~Engine();
  Engine(Engine&&) noexcept;

  Effects step(const Now& now, const Event& event);

  /// Nothing for a name that is not configured.
  std::optional<CheckView> view(std::string_view check) const;
  /// Of a check, or of an incident by at least 4 characters of its id.
  Result<Explanation> explanation(const Now& now, std::string_view name) const;
  /// The whole record of an incident that is open, or whose last messages are not settled yet.
  std::optional<IncidentRecord> incident(const Now& now, const IncidentId& id) const;
  std::vector<IncidentView> open_incidents() const;
  std::size_t open_count(Severity severity) const;
  /// The id that a person means by `prefix`, or why there is none or more than one.
  Result<IncidentId> find_incident(std::string_view prefix) const;
  /// In the order in which they were made; times as of the latest step.
  std::vector<SilenceView> silences() const;
  /// In the order of the configuration.
  std::vector<MaintenanceView> maintenance(Wall now) const;
  Result<std::string> find_silence(std::string_view prefix) const;
  /// The id of the silence that was last added to this engine, or "".
  const std::string& newest_silence() const;
  /// What the probe of `check` asked to find again at its next run.
  std::string_view probe_memory(std::string_view check) const;
  /// What the receiver's notifier keeps of an incident, "" where nothing is known. Closed incidents are known until
  /// their last message is settled.
  std::string_view handle(const IncidentId& incident, const std::string& receiver) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitald::alerting
