// What comes from outside to a check that waits for it: the seam between the HTTP listener and the kind `heartbeat`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "config/observation.hpp"

namespace vitald::probes {

struct Ping {
  enum class Kind { success, start, failure };
  Kind kind = Kind::success;
  std::optional<int> exit_code = {};  // where one was told; a failure's is not 0
  std::string output = {};            // the end of what the job printed: foreign text
  std::string token = {};             // what whoever pinged presented as such
};

/// Why a ping is not taken.
struct PingRefusal {
  bool ours = false;  // the trouble is vitald's: another try may go better
  std::string why;    // a sentence without a full stop
};

/// A probe that is told things. Pure, like judge().
class PingTarget {
 public:
  virtual ~PingTarget() = default;
  /// Whether only those are heard that know a secret.
  virtual bool has_token() const = 0;
  virtual std::optional<PingRefusal> refuses(const Ping& ping) const = 0;
  /// How the check stands with this ping, with what it has to remember from now on. `memory` is what the last
  /// Observation left; `listening_since` is as in ProbeContext.
  virtual Observation take(const Ping& ping, std::string_view memory, const Now& now, Wall listening_since) const = 0;
};

}  // namespace vitald::probes
