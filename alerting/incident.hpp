// Incidents: opened, changed, taken by a person, told to receivers, closed. An incident that is closed stays here until
// the last of its messages is settled, so that handles and refusals reach its final record.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/alarms.hpp"
#include "alerting/digest.hpp"
#include "alerting/escalate.hpp"
#include "alerting/hush.hpp"
#include "alerting/ids.hpp"
#include "alerting/sighting.hpp"
#include "alerting/storm.hpp"
#include "alerting/trace.hpp"
#include "alerting/turn.hpp"

namespace vitald::alerting {

struct Incident {
  /// What all its messages say: frozen when it opens, replaced when its severity changes. `facts.id.incident` is the
  /// id, `facts.id.sequence` counts the messages so far; kind, receiver and time belong to each message.
  Notification facts;
  std::string subject;  // "check:api-health", "unknown:…", "self:…"
  std::string except;   // a receiver that must not be used, or ""
  Steady opened{};      // the same moment as facts.opened, on the clock that nobody sets
  std::optional<Wall> closed = {};
  std::map<std::string, Told> told;
  std::set<std::string> reached;                        // receivers that took at least one message
  std::set<std::pair<std::uint32_t, std::string>> out;  // messages that are not settled yet
  std::map<std::string, std::uint32_t> instead = {};  // receivers that got a digest in place of a recovery; its number
  Course course;
  Trace timeline{Trace::of_an_incident};
  Sighting first_bad, last_bad = {};              // the latest one is written with what else is written of the incident
  std::map<std::string, IncidentId> storms = {};  // receivers that hear of it through a storm (storm.hpp)
  std::optional<Steady> alarm = {};
  bool touched = false;              // its record is to be written with this step
  std::optional<Muting> muted = {};  // nothing goes out about it but a recovery that is owed
  std::optional<Steady> doubt = {};  // muted when the last process stopped: until then it waits to be seen bad again
};

class Incidents {
 public:
  static constexpr std::size_t closed_max = 1000;  // closed ones that wait for deliveries; the oldest goes first

  Incidents(IdSource ids, const Hush& hush) : ids_(std::move(ids)), hush_(hush) {}

  /// Tells everyone whom the severity's escalation names at once, or after `quiet`. `facts` without id.
  const Incident& open(Turn& turn, std::string subject, Notification facts, std::string except = "",
                       Duration quiet = {});
  /// Severity, status or summary changed. Everyone told gets an update, everyone else who is now concerned the problem;
  /// a rise takes back an acknowledgement, since it was given for something smaller.
  void change(Turn& turn, const IncidentId& id, Notification facts);
  /// Everyone who was told, and did not refuse, gets the recovery. With a `digest`, those whom nothing has reached yet
  /// get that instead of all.
  void close(Turn& turn, const IncidentId& id, const std::string& summary, const std::string& digest = "");
  /// A bad observation of what it is about, kept as proof.
  void saw(const IncidentId& id, Sighting seen);
  void acknowledge(Turn& turn, const IncidentId& id, const std::string& by);
  /// Nobody has it any more: those who were told hear that it is still open, and the escalation begins anew.
  void take_back(Turn& turn, const IncidentId& id);
  void set_affected(Turn& turn, const IncidentId& id, std::vector<std::string> affected);
  /// Settles the message's row whether or not its incident is still known.
  void delivered(Turn& turn, const Delivered& event);
  /// Steps of escalations and reminders that are due.
  void elapse(Turn& turn);
  void rename(Turn& turn, const std::string& from, const std::string& to, const std::string& check);
  /// Messages to receivers that no longer exist are settled; where nobody is left who was told, others are told.
  void adopt_rules(Turn& turn);
  /// What is muted may differ: of what is not muted any more, everybody who is concerned is told (incident_hush.cpp).
  void heed_hush(Turn& turn);
  /// A run of this process says that the check of the incident is bad.
  void seen_bad(Turn& turn, const IncidentId& id);
  /// The wall clock was set: what waits for hours to begin is looked at again.
  void clock_was_set(Turn& turn);
  void relabel(Turn& turn, const IncidentId& id, const Labels& labels);
  bool any_touched() const { return !touched_.empty(); }
  IncidentId mint() { return ids_.next(); }  // for what is named as an incident is
  /// The daemon stops: the records of all open ones get the ages of now.
  void touch_open();
  /// The records of all incidents that this step touched.
  void write(Turn& turn);

  void restore(Incident incident);
  void restore(const NoteRecord& note, const Now& now);
  std::optional<Steady> wake_at(const Now& now) const;
  /// Open ones only.
  const Incident* find_subject(std::string_view subject) const;
  std::vector<const Incident*> open_ones() const;
  std::size_t open_count(Severity severity) const;
  Result<IncidentId> find(std::string_view prefix) const;
  const Incident* find_exact(std::string_view id) const;

 private:
  Incident* open_incident(const IncidentId& id);
  void begin(Turn& turn, Incident& incident, Duration quiet = {});
  void remind(Turn& turn, Incident& incident);
  void heed_hush(Turn& turn, Incident& incident);
  void tell(Turn& turn, Incident& incident, NotificationKind kind, const std::string& receiver);
  void send(Turn& turn, Incident& incident, NotificationKind kind, const std::string& receiver);
  void tell_steps(Turn& turn, Incident& incident, const DueSteps& due, bool again);
  void tell_told(Turn& turn, Incident& incident, NotificationKind kind);
  void recover(Turn& turn, Incident& incident, const std::string& summary);
  /// `tell` tells of an incident that is over; afterwards its facts are those of the problem again.
  template <class Tell>
  void say_over(Incident& incident, const std::string& summary, const Tell& tell) {
    Notification problem = incident.facts;
    incident.facts.status = Status::ok;
    incident.facts.summary = summary;
    incident.facts.evidence.clear();
    incident.facts.remedy.clear();
    incident.facts.confirmed_by.clear();
    tell();
    problem.id.sequence = incident.facts.id.sequence;
    incident.facts = std::move(problem);
  }
  std::vector<std::string> unreached(const Turn& turn, const Incident& incident) const;
  void tell_instead(Turn& turn, Incident& incident, const std::string& digest);
  void untell(Turn& turn, Incident& incident, const Delivered& event);
  void arm(const Turn& turn, Incident& incident);
  void touch(Incident& incident);
  void forget_oldest_closed();

  // storms: incident_storm.cpp
  /// Whether the message leaves now, by itself. What must not get lost belongs to a storm afterwards.
  bool passes(Turn& turn, Incident& incident, NotificationKind kind, const std::string& receiver);
  bool all_muted(const Storm& storm) const;
  bool passes_storm(const Turn& turn, Incident& incident, NotificationKind kind, const std::string& receiver);
  Storm* gathering(Desk& desk, const std::string& receiver, Steady now);
  void join_storm(Turn& turn, Incident& incident, const std::string& receiver);
  Storm& open_storm(Turn& turn, const Incident& first, const std::string& receiver);
  void change_storms(const Turn& turn, const Incident& incident);
  void leave_storms(const Turn& turn, const Incident& incident);
  void acknowledge_members(Turn& turn, const IncidentId& storm, const std::string& by);
  void speak(Turn& turn, const std::string& receiver, Storm& storm);
  std::set<IncidentId> members_of(const IncidentId& storm);
  void describe_members(const Turn& turn, Incident& incident, const Storm& storm);
  void elapse_storms(Turn& turn);
  void tell_late(Turn& turn, const std::string& receiver, Desk& desk);
  void adopt_storms(Turn& turn);
  void find_members(Turn& turn);

  // digests: incident_digest.cpp
  void end_chapter(Turn& turn, const Incident& incident);
  void elapse_digests(Turn& turn);

  Storms storms_;
  Digests digests_;
  static constexpr std::uint64_t all_steps = ~std::uint64_t{0};
  bool answering_ = false;  // a person: that is not held back
  IdSource ids_;
  const Hush& hush_;
  std::map<IncidentId, Incident, std::less<>> all_;
  std::map<std::string, IncidentId, std::less<>> open_by_subject_;
  std::array<std::size_t, 4> open_counts_{};
  std::deque<IncidentId> closed_;
  std::set<IncidentId> touched_;
  Alarms<IncidentId> alarms_;
};

}  // namespace vitald::alerting
