// Reading JSON that a disk kept for us: a member that is absent or of another type is its default, never an exception.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "config/observation.hpp"

namespace vitald::alerting {

using Json = nlohmann::json;

/// Discarded when the text is no JSON object.
Json parse_object(std::string_view text);
/// Invalid UTF-8 becomes U+FFFD: foreign text is in here.
std::string dump(const Json& json);

const Json* member(const Json& object, const char* key);
std::string text_of(const Json& object, const char* key);
std::int64_t integer_of(const Json& object, const char* key, std::int64_t fallback = 0);
double number_of(const Json& object, const char* key, double fallback = 0);
bool flag_of(const Json& object, const char* key);
Wall wall_of(const Json& object, const char* key);
/// The time itself, or the nearest that arithmetic can do something with.
Wall sane(Wall at);
Status status_of(const Json& object, const char* key, Status fallback);

Json to_json_value(Wall at);

/// Turns steady times into ages and back, over a restart.
class Ages {
 public:
  explicit Ages(const Now& now) : now_(now) {}
  /// `written` by an earlier process: how long ago is told by the wall clock, but a clock that went back, or a gap of
  /// more than seven days, says nothing and counts as no time at all.
  Ages(const Now& now, Wall written);

  std::int64_t age(Steady at) const { return (now_.steady - at).count(); }
  /// For what goes on while the daemon is down: windows, holds, reminders.
  Steady with_downtime(std::int64_t age) const { return now_.steady - Duration(bounded(age)) - away_; }
  /// For what was only seen by looking: "crossed for 5m".
  Steady without_downtime(std::int64_t age) const { return now_.steady - Duration(bounded(age)); }

 private:
  static std::int64_t bounded(std::int64_t age);
  Now now_;
  Duration away_{};
};

}  // namespace vitald::alerting
