// The words of the chain of reasons (trace.hpp) where a stage needs more than a line to find them.
#pragma once

#include <string>
#include <vector>

#include "alerting/check_state.hpp"
#include "alerting/incident.hpp"
#include "alerting/turn.hpp"

namespace vitald::alerting {

/// What a run that changed a count, or decided, did to the confirmation that stood at `before`.
void explain_count(const Turn& turn, CheckState& check, const Confirming& before, const ConfirmStep& step);
/// It is bad and people are not told yet, since one of these may turn out to be why.
void explain_wait(const Turn& turn, CheckState& check, const std::vector<const CheckState*>& causes);
/// The check's confirmed status is another one than before.
void explain_settled(const Turn& turn, CheckState& check, bool by_event, const std::string& why);

void explain_opened(const Turn& turn, Incident& incident);
void explain_muted(const Turn& turn, Incident& incident);
void explain_affected(const Turn& turn, Incident& incident);
/// What of the incident differs from before, if anything.
void explain_change(const Turn& turn, Incident& incident, const Notification& before);
void explain_told(const Turn& turn, Incident& incident, const Notification& message);
void explain_delivered(const Turn& turn, Incident& incident, const Delivered& event);

/// "incident k3v9 is opened as P0, told: ops-slack, on-call": for the check's own chain.
std::string words_of_opening(const Incident& incident);

/// "mysql (k3v9)": an incident as people name it.
std::string name_of(const Incident& incident);

}  // namespace vitald::alerting
