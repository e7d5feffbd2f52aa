#include "alerting/facts.hpp"

#include <algorithm>

#include "alerting/limit_words.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

constexpr std::size_t summary_max = 300;
constexpr std::size_t remedy_max = 1000;
constexpr std::size_t evidence_max = 12;
constexpr std::size_t evidence_text_max = 1600;

/// The observation's own proof, then how long each phase took: "connect 1 ms, first byte 12 ms".
std::vector<Evidence> evidence_of(const Observed& event, std::size_t text_max = evidence_text_max) {
  std::vector<Evidence> evidence;
  for (const Evidence& piece : event.observation.evidence) {
    if (evidence.size() == evidence_max) return evidence;
    evidence.push_back({bounded(piece.label, 80), bounded(piece.text, text_max)});
  }
  for (const Phase& phase : event.observation.phases) {
    if (evidence.size() == evidence_max) return evidence;
    std::string label(phase.name);
    std::replace(label.begin(), label.end(), '_', ' ');
    evidence.push_back({std::move(label), say_duration(phase.took)});
  }
  return evidence;
}

}  // namespace

Severity severity_of(const CheckRules& rules, Status status) {
  return status == Status::critical ? rules.critical : rules.warning;
}

Notification facts_of(const CheckState& check, const Observed& event, Status status, std::string_view summary) {
  Notification facts;
  facts.severity = severity_of(*check.rules, status);
  facts.status = status;
  facts.check = check.name;
  facts.probe = check.rules->probe;
  facts.labels = check.rules->labels;
  facts.summary = bounded(summary, summary_max);
  facts.remedy = bounded(event.observation.remedy, remedy_max);
  facts.evidence = evidence_of(event);
  facts.runbook = check.rules->runbook;
  facts.opened = event.started.wall;
  return facts;
}

Sighting sighting_of(const CheckState& check, const Observed& event) {
  constexpr std::size_t proof_text_max = 600;
  return {event.started.wall, bounded(check.why, summary_max), evidence_of(event, proof_text_max)};
}

Notification facts_of(const SelfTrouble& trouble, const Now& now) {
  Notification facts;
  facts.severity = trouble.severity;
  facts.status = Status::critical;
  facts.check = "vitald";
  facts.probe = "vitald";
  facts.summary = bounded(trouble.summary, summary_max);
  facts.remedy = bounded(trouble.remedy, remedy_max);
  facts.opened = now.wall;
  return facts;
}

}  // namespace vitald::alerting
