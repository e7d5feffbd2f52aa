// Many effects folded into one: the latest of every check and incident, the outbox rows not yet settled. It holds what
// the store could not take, what the owed file is rewritten from, and what a lost file is rebuilt from. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "alerting/effects.hpp"

namespace vitald::daemon {

class Ledger {
 public:
  enum class Keep {
    everything,  // all that must be written for the store to catch up
    obligations  // only what is still open: incidents and undelivered notifications
  };
  explicit Ledger(Keep keep = Keep::everything) : keep_(keep) {}

  /// Newer than all that was applied before.
  void apply(const alerting::Effects& effects);
  void apply(const alerting::Snapshot& snapshot);
  bool empty() const;
  /// One transaction's worth with the same outcome. Settled rows stay named even where their addition is known here: a
  /// commit that reported a failure may have reached the disk all the same.
  alerting::Effects effects() const;
  /// What a restart would have to know.
  alerting::Snapshot snapshot() const;
  void clear();

 private:
  void apply(const alerting::IncidentRecord& record);
  void apply(const alerting::NoteRecord& note);
  void add(const alerting::Notification& notification);
  void settle(const alerting::NotificationId& id);
  void enforce_bounds();

  Keep keep_;
  std::map<std::string, alerting::CheckRecord> checks_;
  std::map<alerting::IncidentId, alerting::IncidentRecord> incidents_;
  std::map<std::string, alerting::NoteRecord> notes_;
  std::map<std::uint64_t, alerting::Notification> outbox_;  // by order of addition
  std::map<alerting::NotificationId, std::uint64_t> positions_;
  std::set<alerting::NotificationId> settled_;
  std::uint64_t next_position_ = 0;
  std::size_t closed_ = 0;  // of incidents_
};

}  // namespace vitald::daemon
