#include "daemon/api.hpp"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/units.hpp"
#include "daemon/api_incidents.hpp"
#include "daemon/limit_text.hpp"
#include "daemon/overview.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t slice = 32 * 1024;

double seconds(Duration length) { return std::chrono::duration<double>(length).count(); }

std::string_view word(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
      return "answered";
    case Outcome::refused:
      return "refused";
    case Outcome::wrong:
      return "wrong";
    case Outcome::unmeasured:
      break;
  }
  return "unmeasured";
}

std::string_view word(Unit unit) {
  switch (unit) {
    case Unit::seconds:
      return "seconds";
    case Unit::bytes:
      return "bytes";
    case Unit::ratio:
      return "ratio";
    case Unit::none:
      break;
  }
  return "";
}

json labels_json(const Labels& labels) {
  json object = json::object();
  for (const auto& [name, value] : labels) object[name] = value;
  return object;
}

Unit unit_of(const probes::ProbeKind* kind, std::string_view sample) {
  if (sample == "duration") return Unit::seconds;
  if (kind == nullptr) return Unit::none;
  for (const SampleSpec& spec : kind->samples) {
    if (spec.name == sample) return spec.unit;
  }
  return Unit::none;
}

/// The observation's members, into `object`. Its memory is the probe's own affair and stays inside.
void put_observation(json& object, const Observation& observation, const probes::ProbeKind* kind) {
  object["outcome"] = word(observation.outcome);
  object["summary"] = observation.summary;
  if (!observation.reason.empty()) object["reason"] = observation.reason;
  if (!observation.remedy.empty()) object["remedy"] = observation.remedy;
  json samples = json::array();
  for (const Sample& sample : observation.samples) {
    json one = {{"name", sample.name}, {"value", sample.value}, {"unit", word(unit_of(kind, sample.name))}};
    if (sample.maximum) one["maximum"] = *sample.maximum;
    if (!sample.labels.empty()) one["labels"] = labels_json(sample.labels);
    samples.push_back(std::move(one));
  }
  json phases = json::array();
  for (const Phase& phase : observation.phases)
    phases.push_back({{"name", phase.name}, {"seconds", seconds(phase.took)}});
  json evidence = json::array();
  for (const Evidence& piece : observation.evidence) evidence.push_back({{"label", piece.label}, {"text", piece.text}});
  object["samples"] = std::move(samples);
  object["phases"] = std::move(phases);
  object["evidence"] = std::move(evidence);
}

/// The answer of checks_document, as it proceeds. It holds its own row pointers: the board may change meanwhile.
struct Checks {
  std::string head;
  Board::Rows rows;
  std::size_t next = 0;

  bool operator()(std::string& out) {
    const std::size_t enough = out.size() + slice;
    out += std::exchange(head, "");
    for (; next < rows.size() && out.size() < enough; ++next) {
      if (next > 0) out += ",\n";
      out += dump(json_of(*rows[next]));
    }
    if (next < rows.size()) return true;
    out += "]}\n";
    return false;
  }
};

std::string head_of(const Operations& operations) {
  const DaemonView view = operations.view();
  return R"({"instance":)" + dump(view.instance) + R"(,"time":)" + dump(rfc3339(view.now));
}

}  // namespace

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json json_of(const BoardRow& row) {
  json object = {
      {"check", row.check},
      {"probe", row.kind == nullptr ? std::string_view() : row.kind->name},
      {"labels", labels_json(row.labels)},
      {"standing", to_string(standing(row))},
      {"verdict", to_string(row.view.verdict)},
      {"confirmed", to_string(row.view.settled)},
      {"why", row.view.why},
      {"every_seconds", seconds(row.every)},
      {"runs", row.runs},
      {"missed_slots", row.missed},
  };
  if (row.view.needed > 0) object["confirming"] = {{"seen", row.view.seen}, {"needed", row.view.needed}};
  if (row.view.since != Wall{}) object["since"] = rfc3339(row.view.since);
  if (!row.view.incident.empty()) object["incident"] = row.view.incident;
  if (!row.runbook.empty()) object["runbook"] = row.runbook;
  if (row.runs > 0) {
    object["last_run"] = rfc3339(row.started);
    object["duration_seconds"] = seconds(row.took);
    put_observation(object, row.observation, row.kind);
  }
  return object;
}

json json_of(const alerting::IncidentView& view, const Board& board) {
  const auto& record = view.record;
  json told = json::array();
  for (const auto& [receiver, how] : record.told) told.push_back({{"receiver", receiver}, {"refused", how.refused}});
  json object = columns_json(record);
  object["told"] = std::move(told);
  if (view.acknowledged_by) object["acknowledged_by"] = *view.acknowledged_by;
  if (!view.affected.empty()) object["affected"] = view.affected;
  if (view.muted) {
    json muted = {{"by", view.muted->by}, {"reason", view.muted->reason}, {"until", rfc3339(view.muted->until)}};
    if (!view.muted->owner.empty()) muted["owner"] = view.muted->owner;
    object["muted"] = std::move(muted);
  }
  if (const auto row = board.find(record.check)) {
    object["now"] = row->view.why;
    if (!row->runbook.empty()) object["runbook"] = row->runbook;
    if (!row->observation.remedy.empty()) object["remedy"] = row->observation.remedy;
    json evidence = json::array();
    for (const Evidence& piece : row->observation.evidence)
      evidence.push_back({{"label", piece.label}, {"text", piece.text}});
    object["evidence"] = std::move(evidence);
  }
  return object;
}

json json_of(const DaemonView& view) {
  json receivers = json::array();
  for (const ReceiverView& receiver : view.receivers) {
    json one = {
        {"name", receiver.name}, {"kind", receiver.kind}, {"pending", receiver.pending}, {"stopped", receiver.stopped}};
    if (!receiver.why.empty()) one["why"] = receiver.why;
    receivers.push_back(std::move(one));
  }
  json object = {
      {"instance", view.instance},
      {"version", view.version},
      {"started", rfc3339(view.started)},
      {"time", rfc3339(view.now)},
      {"uptime_seconds", seconds(view.now - view.started)},
      {"configuration", view.configuration},
      {"last_reload_worked", view.last_reload_worked},
      {"store_degraded", view.store_degraded},
      {"receivers", std::move(receivers)},
  };
  if (!view.last_reload_worked) object["last_reload_problem"] = view.last_reload_problem;
  if (view.store_degraded) object["store_problem"] = view.store_problem;
  return object;
}

json json_of(const alerting::SilenceView& silence) {
  return {{"id", silence.id},
          {"checks", silence.checks},
          {"owner", silence.owner},
          {"reason", silence.reason},
          {"since", rfc3339(silence.begun)},
          {"until", rfc3339(silence.until)},
          {"until_recovered", silence.until_recovered}};
}

json json_of(const MutedView& muted) {
  json silences = json::array(), windows = json::array();
  for (const alerting::SilenceView& silence : muted.silences) silences.push_back(json_of(silence));
  for (const alerting::MaintenanceView& window : muted.maintenance) {
    json one = {{"name", window.name},
                {"checks", window.checks},
                {"active", window.active.has_value()},
                {"next", {{"from", rfc3339(window.next.begin)}, {"until", rfc3339(window.next.end)}}}};
    if (window.active) {
      one["since"] = rfc3339(window.active->begin);
      one["until"] = rfc3339(window.active->end);
    }
    windows.push_back(std::move(one));
  }
  return {{"silences", std::move(silences)}, {"maintenance", std::move(windows)}};
}

json json_of(const ProbeReport& report) {
  json object = {{"check", report.check},
                 {"probe", report.probe},
                 {"verdict", to_string(report.verdict)},
                 {"why", report.why},
                 {"duration_seconds", seconds(report.took)}};
  put_observation(object, report.observation, probes::find_probe(report.probe));
  json limits = json::array();
  for (const Limit& limit : report.limits) limits.push_back({{"sample", limit.sample}, {"text", say_limit(limit)}});
  object["limits"] = std::move(limits);
  return object;
}

Source checks_document(const Operations& operations, std::string only) {
  Checks checks{head_of(operations) + R"(,"checks":[)", {}};
  if (only.empty()) {
    checks.rows = operations.board().rows();
  } else if (auto row = operations.board().find(only)) {
    checks.rows.push_back(std::move(row));
  }
  return checks;
}

std::string silences_document(const Operations& operations) {
  const json muted = json_of(operations.muted());
  return head_of(operations) + R"(,"silences":)" + dump(muted["silences"]) + R"(,"maintenance":)" +
         dump(muted["maintenance"]) + "}\n";
}

std::string incidents_document(const Operations& operations) {
  json list = json::array();
  for (const auto& view : operations.incidents()) list.push_back(json_of(view, operations.board()));
  return head_of(operations) + R"(,"incidents":)" + dump(list) + "}\n";
}

}  // namespace vitald::daemon
