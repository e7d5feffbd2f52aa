// Incident and IncidentRecord as JSON and back.
#include <algorithm>

#include "alerting/json_fields.hpp"
#include "alerting/records.hpp"

namespace vitald::alerting {
namespace {

constexpr std::array severities = {Severity::p0, Severity::p1, Severity::p2, Severity::p3};

Severity severity_of(const Json& json, const char* key) {
  const std::string word = text_of(json, key);
  for (const Severity severity : severities) {
    if (word == to_string(severity)) return severity;
  }
  return Severity::p2;
}

Json told_json(const std::map<std::string, Told>& all) {
  Json json = Json::object();
  for (const auto& [receiver, told] : all) {
    json[receiver] = {{"refused", told.refused}, {"handle", told.handle}};
    if (told.messages == 0) continue;
    json[receiver]["messages"] = told.messages;
    json[receiver]["first"] = to_json_value(told.first);
    json[receiver]["last"] = to_json_value(told.last);
  }
  return json;
}

std::map<std::string, Told> told_from(const Json& json) {
  std::map<std::string, Told> all;
  if (!json.is_object()) return all;
  for (const auto& [receiver, told] : json.items()) {
    if (!told.is_object()) continue;
    const auto messages = std::clamp<std::int64_t>(integer_of(told, "messages"), 0, 1'000'000);
    all[receiver] = {flag_of(told, "refused"), text_of(told, "handle"), static_cast<int>(messages),
                     wall_of(told, "first"), wall_of(told, "last")};
  }
  return all;
}

void put_sighting(Json& json, const char* key, const Sighting& seen) {
  if (seen.at == Wall{}) return;
  Json evidence = Json::array();
  for (const Evidence& piece : seen.evidence) evidence.push_back(Json::array({piece.label, piece.text}));
  json[key] = {{"at", to_json_value(seen.at)}, {"summary", seen.summary}, {"evidence", std::move(evidence)}};
}

Sighting sighting_from(const Json& json, const char* key) {
  Sighting seen;
  const Json* stored = member(json, key);
  if (stored == nullptr || !stored->is_object()) return seen;
  seen.at = wall_of(*stored, "at");
  seen.summary = text_of(*stored, "summary");
  const Json* evidence = member(*stored, "evidence");
  if (evidence == nullptr || !evidence->is_array()) return seen;
  for (const Json& piece : *evidence) {
    const bool pair = piece.is_array() && piece.size() == 2 && piece[0].is_string() && piece[1].is_string();
    if (pair) seen.evidence.push_back({piece[0].get<std::string>(), piece[1].get<std::string>()});
  }
  return seen;
}

}  // namespace

std::string to_json(const IncidentRecord& record) {
  Json json = {{"id", record.id},
               {"subject", record.subject},
               {"check", record.check},
               {"severity", to_string(record.severity)},
               {"status", to_string(record.status)},
               {"summary", record.summary},
               {"opened", to_json_value(record.opened)},
               {"told", told_json(record.told)},
               {"state", record.state}};
  if (record.closed) json["closed"] = to_json_value(*record.closed);
  return dump(json);
}

Result<IncidentRecord> incident_from_json(std::string_view text) {
  const Json json = parse_object(text);
  if (json.is_discarded()) return Failure{"", "the stored incident is not a JSON object"};
  IncidentRecord record;
  record.id = text_of(json, "id");
  record.subject = text_of(json, "subject");
  if (record.id.empty() || record.subject.empty()) return Failure{"", "the stored incident has no id or no subject"};
  record.check = text_of(json, "check");
  record.severity = severity_of(json, "severity");
  record.status = status_of(json, "status", Status::critical);
  record.summary = text_of(json, "summary");
  record.opened = wall_of(json, "opened");
  record.state = text_of(json, "state");
  if (member(json, "closed") != nullptr) record.closed = wall_of(json, "closed");
  if (const Json* told = member(json, "told")) record.told = told_from(*told);
  return record;
}

IncidentRecord columns_of(const Incident& incident) {
  IncidentRecord record;
  record.id = incident.facts.id.incident;
  record.subject = incident.subject;
  record.check = incident.facts.check;
  record.severity = incident.facts.severity;
  record.status = incident.facts.status;
  record.summary = incident.facts.summary;
  record.opened = incident.facts.opened;
  record.closed = incident.closed;
  record.told = incident.told;
  return record;
}

IncidentRecord to_record(const Incident& incident, const Now& now) {
  const Ages ages(now);
  IncidentRecord record = columns_of(incident);
  // A stored notification must name its receiver. This one is what they all are told.
  Notification facts = incident.facts;
  facts.id.receiver = "everyone";
  facts.id.sequence = std::max(facts.id.sequence, 1u);
  Json json = {{"at", to_json_value(now.wall)},
               {"sequence", incident.facts.id.sequence},
               {"opened", ages.age(incident.opened)},
               {"begun", ages.age(incident.course.begun)},
               {"reminded", ages.age(incident.course.reminded)},
               {"reminders", incident.course.reminders},
               {"done", incident.course.done}};
  if (!incident.except.empty()) json["except"] = incident.except;
  if (incident.muted) json["muted"] = incident.muted->by;
  if (!incident.reached.empty()) json["reached"] = incident.reached;
  if (!incident.instead.empty()) json["instead"] = incident.instead;
  if (!incident.storms.empty()) json["storms"] = incident.storms;
  if (!incident.timeline.reasons().empty()) json["timeline"] = incident.timeline.to_text();
  put_sighting(json, "first_bad", incident.first_bad);
  put_sighting(json, "last_bad", incident.last_bad);
  // The facts are JSON text already. Reading it only to write it again would be the dearest part of opening an
  // incident.
  record.state = dump(json);
  record.state.back() = ',';
  record.state += "\"facts\":" + to_json(facts) + "}";
  return record;
}

std::optional<Incident> incident_from_record(const IncidentRecord& record, const Now& now) {
  if (record.id.empty() || record.subject.empty()) return std::nullopt;
  Incident incident;
  const Json json = parse_object(record.state);
  const Json* facts = json.is_discarded() ? nullptr : member(json, "facts");
  if (facts != nullptr) {
    if (auto read = notification_from_json(dump(*facts))) incident.facts = std::move(*read);
  }
  // The columns are what the store vouches for; the engine's own text only adds to them.
  incident.facts.id = {record.id, 0, ""};
  incident.facts.check = record.check;
  incident.facts.severity = record.severity;
  incident.facts.status = record.status;
  incident.facts.summary = record.summary;
  incident.facts.opened = sane(record.opened);
  incident.subject = record.subject;
  incident.closed = record.closed;
  incident.told = record.told;
  incident.course = begin_course(now.steady);
  incident.opened = now.steady;
  if (json.is_discarded()) return incident;
  const Ages ages(now, wall_of(json, "at"));
  incident.facts.id.sequence =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(integer_of(json, "sequence"), 0, 1 << 30));
  incident.opened = ages.with_downtime(integer_of(json, "opened"));
  incident.except = text_of(json, "except");
  incident.first_bad = sighting_from(json, "first_bad");
  incident.last_bad = sighting_from(json, "last_bad");
  incident.timeline.read(text_of(json, "timeline"));
  incident.course.begun = ages.with_downtime(integer_of(json, "begun"));
  incident.course.reminded = ages.with_downtime(integer_of(json, "reminded"));
  incident.course.reminders = static_cast<int>(std::clamp<std::int64_t>(integer_of(json, "reminders"), 0, 1'000'000));
  if (const Json* done = member(json, "done"); done != nullptr && done->is_number_unsigned()) {
    incident.course.done = done->get<std::uint64_t>();
  }
  if (const Json* instead = member(json, "instead"); instead != nullptr && instead->is_object()) {
    for (const auto& [receiver, number] : instead->items()) {
      if (number.is_number_unsigned()) incident.instead[receiver] = number.get<std::uint32_t>();
    }
  }
  if (member(json, "muted") != nullptr)
    incident.muted = Muting{.by = text_of(json, "muted")};  // the hush stage adds the rest
  if (const Json* storms = member(json, "storms"); storms != nullptr && storms->is_object()) {
    for (const auto& [receiver, id] : storms->items()) {
      if (id.is_string()) incident.storms[receiver] = id.get<std::string>();
    }
  }
  const Json* reached = member(json, "reached");
  if (reached == nullptr || !reached->is_array()) return incident;
  for (const Json& receiver : *reached) {
    if (receiver.is_string()) incident.reached.insert(receiver.get<std::string>());
  }
  return incident;
}

}  // namespace vitald::alerting
