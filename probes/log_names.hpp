// Which files are logs, and which are what rotation has made of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/log_bytes.hpp"

namespace vitald::probes {

/// Whether rotation gives such a name to `log` (names without folder): laravel.log.1, laravel.log-20261128.gz,
/// laravel-20261128.log, app__2026-11-28_00-00-00.log, laravel.log.old.
bool is_rotated_name(std::string_view log, std::string_view name);

/// Compressed, whether or not LogBytes can read it.
bool is_packed_name(std::string_view name);

/// What rotation left of `path`: beside it, and what the patterns `elsewhere` match. The last written first, at most
/// `most`. `root` is put in front of every path when it is used.
std::vector<LogFile> rotated_files(const std::string& root, const std::string& path,
                                   const std::vector<std::string>& elsewhere, std::size_t most);

struct LogNames {
  std::vector<std::string> paths;   // sorted, each once
  std::vector<std::string> denied;  // folders that may not be listed
};

/// Paths as they are, and what patterns such as /srv/*/storage/logs/*.log match, but for compressed files and what
/// is_rotated_name of another one.
LogNames find_logs(const std::string& root, const std::vector<std::string>& patterns);

bool is_glob(std::string_view path);

}  // namespace vitald::probes
