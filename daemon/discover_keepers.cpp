// What keeps services running on this host: systemd, supervisor, pm2; as far as files tell.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "daemon/discover.hpp"

namespace vitald::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_units = 24;
constexpr std::size_t most_entries = 500;
constexpr std::size_t most_homes = 8;

/// Services that a host is usually there for, as Debian names them; beginnings of names.
constexpr std::array known_services{"apache2",   "caddy",  "cron.", "docker.",    "haproxy", "mariadb",    "memcached",
                                    "minio",     "mongod", "mysql", "nginx",      "php",     "postgresql", "postfix",
                                    "rabbitmq-", "redis",  "ssh.",  "supervisor", "valkey",  "varnish"};

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code failed;
  for (auto entry = fs::directory_iterator(folder, failed);
       !failed && entry != fs::directory_iterator() && paths.size() < most_entries; entry.increment(failed)) {
    paths.push_back(entry->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// A unit whose file an administrator wrote: it lies in /etc itself, not in the packages' folder.
bool is_of_this_host(const fs::path& link) {
  std::error_code failed;
  const fs::path target = fs::read_symlink(link, failed);
  return !failed && target.string().find("/lib/systemd/") == std::string::npos;
}

bool is_known(const std::string& name) {
  return std::any_of(known_services.begin(), known_services.end(),
                     [&](const char* known) { return name.starts_with(known); });
}

std::vector<std::string> enabled_services(const fs::path& root) {
  std::vector<std::string> units;
  for (const fs::path& link : entries_of(root / "etc/systemd/system/multi-user.target.wants")) {
    const std::string name = link.filename();
    const bool service = name.ends_with(".service") && name.find("@.") == std::string::npos && name != "vitald.service";
    if (service && (is_known(name) || is_of_this_host(link)) && units.size() < most_units) units.push_back(name);
  }
  return units;
}

bool there(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path, failed);
}

}  // namespace

Keepers find_keepers(const std::string& root) {
  const fs::path top = root.empty() ? "/" : root;
  Keepers found;
  found.systemd = there(top / "run/systemd/system");  // as sd_booted(3) knows it
  if (found.systemd) found.units = enabled_services(top);
  found.supervisor = there(top / "run/supervisor.sock") || there(top / "run/supervisor/supervisor.sock");
  std::vector<fs::path> homes = entries_of(top / "home");
  homes.push_back(top / "root");
  for (const fs::path& home : homes) {
    if (!there(home / ".pm2/rpc.sock") || found.pm2_homes.size() == most_homes) continue;
    found.pm2_homes.push_back("/" + (home / ".pm2").lexically_relative(top).string());
  }
  return found;
}

}  // namespace vitald::daemon
