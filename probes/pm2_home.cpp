#include "probes/pm2_home.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes::pm2 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_passwd = 1 << 20;
constexpr std::size_t most_homes = 10'000;
constexpr std::array traces = {"rpc.sock", "pm2.pid", "pm2.log", "dump.pm2"};

/// At most `most` bytes of a file; "" where it is not there or no file.
std::string beginning(const std::string& path, std::size_t most) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return "";
  std::ifstream file(path, std::ios::binary);
  std::string text(most, '\0');
  file.read(text.data(), static_cast<std::streamsize>(most));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// The sixth field of each line.
void add_passwd(const Host& host, std::set<std::string>& folders) {
  std::istringstream lines(beginning(host.root + "/etc/passwd", most_passwd));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 6; ++i) std::getline(fields, field, ':');
    if (fields && field.size() > 1 && field.starts_with('/') && folders.size() < most_homes) folders.insert(field);
  }
}

void add_below_home(const Host& host, std::set<std::string>& folders) {
  std::error_code error;
  for (fs::directory_iterator entry(host.root + "/home", error), end; entry != end && !error; entry.increment(error))
    if (folders.size() < most_homes) folders.insert("/home/" + entry->path().filename().string());
}

void look(const Host& host, const std::string& folder, Homes& homes) {
  const std::string home = folder + "/.pm2";
  for (const char* trace : traces) {
    std::error_code error;
    if (fs::exists(host.root + home + "/" + trace, error)) {
      homes.used.push_back(home);
      return;
    }
    if (error == std::errc::permission_denied) {
      homes.denied.push_back(folder);
      return;
    }
  }
}

std::string listed(const std::vector<std::string>& paths) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(paths.size(), most); ++i) text += (i > 0 ? ", " : "") + foreign_text(paths[i]);
  if (paths.size() > most) text += " and " + std::to_string(paths.size() - most) + " more";
  return text;
}

/// Whether that process is pm2's daemon, which calls itself "PM2 v6.0.14: God Daemon (/root/.pm2)".
bool is_alive(const Host& host, int pid) {
  try {
    return host.read("/proc/" + std::to_string(pid) + "/cmdline").find("God Daemon") != std::string::npos;
  } catch (const ProbeFailure&) {
    return false;
  }
}

}  // namespace

Homes look_for_homes(const Host& host) {
  std::set<std::string> folders{"/root", "/etc"};
  add_passwd(host, folders);
  add_below_home(host, folders);
  Homes homes;
  for (const std::string& folder : folders) look(host, folder, homes);
  return homes;
}

std::string only_home(const Homes& homes) {
  if (homes.used.size() == 1) return homes.used.front();
  if (homes.used.empty()) {
    std::string what = "no pm2 was found in any home folder";
    if (!homes.denied.empty()) what += ", and vitald may not look into " + listed(homes.denied);
    throw unmeasured("no_pm2_seen", what, "set home in the check to PM2_HOME of that pm2, such as /home/deploy/.pm2");
  }
  throw unmeasured("several_pm2", "there are several pm2 on this host: " + listed(homes.used),
                   "say which one with home in the check");
}

ProbeFailure explain_silence(const Host& host, const std::string& socket, const ProbeFailure& why) {
  const std::string folder = fs::path(socket).parent_path().string();
  if (why.reason.starts_with("denied")) {
    return unmeasured(why.reason, "vitald may not connect to pm2 on " + socket,
                      "let vitald's user reach it: docs/probes/pm2.md has the commands");
  }
  if (why.reason != "socket_missing" && why.reason != "socket_refused") return why;
  const std::string text = beginning(host.root + folder + "/pm2.pid", 16);
  int pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  const std::string resurrect = "as the user whose pm2 it is, run: PM2_HOME=" + folder + " pm2 resurrect";
  if (pid <= 0) return refused("pm2_not_running", "pm2 is not running: " + std::string(why.what()), resurrect);
  const std::string process = "process " + std::to_string(pid);
  if (!is_alive(host, pid))
    return refused("pm2_killed", "pm2 was killed: its pid file names " + process + ", which is gone", resurrect);
  return refused("pm2_unreachable", "pm2 runs as " + process + ", but " + why.what(),
                 "restart pm2's daemon and with it every app: PM2_HOME=" + folder + " pm2 update");
}

}  // namespace vitald::probes::pm2
