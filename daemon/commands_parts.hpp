// What the commands share that read the environment and the configuration to find the daemon.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "config/node.hpp"
#include "daemon/cli_text.hpp"
#include "daemon/commands.hpp"

namespace vitald::daemon {

Terminal terminal_of_stdout();

/// The running daemon's socket, as its configuration says; a file that has mistakes now does not hide a daemon that
/// runs.
std::filesystem::path control_socket(const CommandOptions& options);

/// [{"file", "line", "column", "severity", "text"}]; `file` stands in where a problem has no place.
nlohmann::json problems_json(const config::Problems& problems, const std::filesystem::path& file);
/// "FILE: 2 mistakes"
std::string count_mistakes(const config::Problems& problems, const std::filesystem::path& file);

}  // namespace vitald::daemon
