// A place that keeps effects for good, as the recorder needs it. Every call blocks, and only the disk thread makes
// them; SqliteStore is the real one, tests have vaults that stall, fail and recover.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "alerting/effects.hpp"
#include "config/now.hpp"
#include "config/result.hpp"

namespace vitald::daemon {

/// Which closed incidents: those whose id begins with `prefix`, or all that closed at `since` or later, latest first.
struct HistoryQuery {
  std::string prefix = {};
  Wall since{};
  std::size_t most = 100;
};

class Vault {
 public:
  virtual ~Vault() = default;

  /// All of it in one transaction, synced when it returns; or nothing of it that counts. Applying the same effects
  /// twice is the same as once. After a failure nothing may be assumed about what the disk holds: reopen() comes next.
  virtual Result<void> commit(std::span<const alerting::Effects> group) = 0;
  /// Closes what is open, opens it again and verifies it; after damage with no more than could be salvaged. Says what
  /// people should know about that, or "". `now` names a damaged file that is moved aside.
  virtual Result<std::string> reopen(Wall now) = 0;
  /// What a person can do about the latest failure; "" when there was none.
  virtual std::string remedy() const = 0;
  /// Reads; a failure changes nothing.
  virtual Result<std::vector<alerting::IncidentRecord>> history(const HistoryQuery&) {
    return Failure{"", "this store keeps no history"};
  }
};

}  // namespace vitald::daemon
