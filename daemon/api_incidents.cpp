#include "daemon/api_incidents.hpp"

#include <nlohmann/json.hpp>

#include "config/units.hpp"
#include "daemon/api.hpp"
#include "daemon/limit_text.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

json reasons_json(const std::vector<alerting::Reason>& reasons) {
  json list = json::array();
  for (const alerting::Reason& reason : reasons) {
    json one = {{"at", rfc3339(reason.at)}, {"text", reason.text}};
    if (reason.times > 1) one.update({{"times", reason.times}, {"first", rfc3339(reason.first)}});
    list.push_back(std::move(one));
  }
  return list;
}

json sighting_json(const alerting::Sighting& seen) {
  json evidence = json::array();
  for (const Evidence& piece : seen.evidence) evidence.push_back({{"label", piece.label}, {"text", piece.text}});
  return {{"at", rfc3339(seen.at)}, {"summary", seen.summary}, {"evidence", std::move(evidence)}};
}

json told_json(const alerting::IncidentRecord& record, const std::set<std::string>* reached) {
  json told = json::array();
  for (const auto& [receiver, how] : record.told) {
    json one = {{"receiver", receiver}, {"refused", how.refused}};
    if (reached != nullptr) one["delivered"] = reached->contains(receiver);
    if (how.messages > 0)
      one.update({{"messages", how.messages}, {"first", rfc3339(how.first)}, {"last", rfc3339(how.last)}});
    told.push_back(std::move(one));
  }
  return told;
}

}  // namespace

json columns_json(const alerting::IncidentRecord& record) {
  json object = {{"id", record.id},
                 {"check", record.check},
                 {"subject", record.subject},
                 {"severity", to_string(record.severity)},
                 {"status", to_string(record.status)},
                 {"summary", record.summary},
                 {"opened", rfc3339(record.opened)}};
  if (record.closed) object["closed"] = rfc3339(*record.closed);
  return object;
}

json json_of(const alerting::IncidentRecord& record) {
  json object = columns_json(record);
  object["told"] = told_json(record, nullptr);
  return object;
}

json json_of(const alerting::Story& story) {
  json object = columns_json(story.record);
  object["told"] = told_json(story.record, &story.reached);
  const alerting::Notification& facts = story.facts;
  object["instance"] = facts.instance;
  if (!facts.cause.empty()) object["cause"] = facts.cause;
  if (!facts.affected.empty()) object["affected"] = facts.affected;
  if (!facts.confirmed_by.empty()) object["confirmed_by"] = facts.confirmed_by;
  if (!facts.remedy.empty()) object["remedy"] = facts.remedy;
  if (!facts.runbook.empty()) object["runbook"] = facts.runbook;
  if (facts.acknowledged_by) object["acknowledged_by"] = *facts.acknowledged_by;
  if (story.first_bad.at != Wall{}) object["first_bad"] = sighting_json(story.first_bad);
  if (story.last_bad.at != Wall{}) object["last_bad"] = sighting_json(story.last_bad);
  object["timeline"] = reasons_json(story.timeline);
  return object;
}

json json_of(const ExplainReport& report) {
  const alerting::Explanation& explanation = report.explanation;
  json paragraphs = json::array();
  for (const alerting::Paragraph& paragraph : explanation.paragraphs)
    paragraphs.push_back({{"about", paragraph.about}, {"says", paragraph.says}});
  json object = {{"subject", explanation.subject}, {"check", explanation.check}, {"paragraphs", std::move(paragraphs)}};
  if (!explanation.incident.empty()) object["incident"] = explanation.incident;
  json limits = json::array();
  for (const Limit& limit : report.limits) limits.push_back({{"sample", limit.sample}, {"text", say_limit(limit)}});
  object["limits"] = std::move(limits);
  if (report.row != nullptr) object["latest"] = json_of(*report.row);
  object["reasons"] = reasons_json(explanation.reasons);
  return object;
}

}  // namespace vitald::daemon
