// What a request for a silence says, as the engine's event. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/event.hpp"
#include "config/result.hpp"

namespace vitald::daemon {

/// How long a silence lasts where nobody says: an hour, or a day when it ends with the recovery anyway.
inline constexpr Duration usual_silence = std::chrono::hours(1);
inline constexpr Duration usual_until_recovered = std::chrono::hours(24);

/// `api-*` is a name, `team=web` a label.
Result<alerting::Matcher> matcher_of(const std::vector<std::string>& words);

/// {"checks":["api-*","team=web"],"seconds":7200,"reason":"…","until_recovered":true}
Result<alerting::SilenceAdded> silence_from(const nlohmann::json& request, std::string by);

}  // namespace vitald::daemon
