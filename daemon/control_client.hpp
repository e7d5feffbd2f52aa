// The command line's side of the control socket. Blocking; not for the daemon.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "config/result.hpp"

namespace vitald::daemon {

/// Sends one request, hands every progress object to `on_progress`, and gives the result. The failure is a sentence for
/// a person: no daemon, no permission, the daemon's own words, or its silence for longer than `patience`.
Result<nlohmann::json> control_request(const std::filesystem::path& socket, const nlohmann::json& request,
                                       const std::function<void(const nlohmann::json&)>& on_progress = {},
                                       Duration patience = std::chrono::minutes(2));

/// Whether no daemon runs that `socket` could belong to. Not so where it may not be asked, or does not answer.
bool nobody_listens(const std::filesystem::path& socket);

/// Who asks, for `ack`: the name before sudo (`sudo_user`, of the environment), the login name, or "uid 1000".
std::string own_name(std::string_view sudo_user);

}  // namespace vitald::daemon
