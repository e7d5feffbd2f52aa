// The unknown stage: checks that vitald cannot measure, grouped by the reason. When one has been unknown for
// Rules::unknown_after, the group becomes an incident of its own; it ends with its last member.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "alerting/alarms.hpp"
#include "alerting/check_state.hpp"
#include "alerting/incident.hpp"
#include "alerting/turn.hpp"

namespace vitald::alerting {

class UnknownGroups {
 public:
  explicit UnknownGroups(Incidents& incidents) : incidents_(incidents) {}

  /// The check could not be measured, again or for the first time. True when it was not so before, or for another
  /// reason.
  bool enter(Turn& turn, CheckState& check, const Observation& observation);
  /// The check was measured. True when it was unknown before.
  bool leave(Turn& turn, CheckState& check, const std::string& summary);
  /// The check had been unknown when the daemon stopped.
  void restore(const CheckState& check);
  void rename(Turn& turn, const CheckState& check, const std::string& from);
  /// Groups whose time has come.
  void elapse(Turn& turn);
  /// After a restart or a reload: incidents whose group has no member left are over; the waiting time may differ.
  void adopt_rules(Turn& turn);
  std::optional<Steady> wake_at() const { return alarms_.first(); }

  struct Member {
    Steady since;
    std::string check;
    std::string summary;
    Wall opened;
    friend bool operator<(const Member& a, const Member& b) {
      return a.since != b.since ? a.since < b.since : a.check < b.check;
    }
  };

 private:
  struct Group {
    std::set<Member> members;
    std::string remedy;
    std::optional<Steady> alarm;
  };
  bool moves(const Turn& turn, Unmeasured& unmeasured, const std::string& reason) const;
  const Incident* incident_of(const std::string& reason) const;
  void remove(Turn& turn, const CheckState& check, const std::string& summary);
  void arm(const Turn& turn, const std::string& reason, Group& group);
  void open(Turn& turn, const std::string& reason, const Group& group);
  void list_members(Turn& turn, const std::string& reason, Group& group);

  Incidents& incidents_;
  std::map<std::string, Group> groups_;
  Alarms<std::string> alarms_;
};

}  // namespace vitald::alerting
