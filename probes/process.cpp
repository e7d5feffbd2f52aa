#include "probes/process.hpp"

#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/proc_text.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::process {
namespace {

constexpr std::size_t most_processes = 10'000;
constexpr std::size_t most_detailed = 64;
constexpr std::size_t longest_command = 16 * 1024;
constexpr std::size_t longest_name = 15;  // that the kernel keeps
constexpr double reuse_margin = 10;       // seconds between a start and its pid file, clocks as they are

std::string folder_of(int pid) { return "/proc/" + std::to_string(pid); }

/// Words apart by a blank; the name of a process that has no command line.
std::string command_of(const Host& host, const ProcessStat& stat) {
  std::string line = read_if_there(host, folder_of(stat.pid) + "/cmdline").value_or("");
  line.resize(std::min(line.size(), longest_command));
  while (!line.empty() && line.back() == '\0') line.pop_back();
  std::replace(line.begin(), line.end(), '\0', ' ');
  return line.empty() ? stat.name : line;
}

/// A number, or what the host's user database says. The folder's owner would not do: that is root where a process may
/// not be dumped.
std::uint64_t user_number(const std::string& user) {
  const bool digits = user.find_first_not_of("0123456789") == std::string::npos;
  if (digits) return leading_count(user).value_or(0);
  std::vector<char> room(16 * 1024);
  struct passwd entry {};
  struct passwd* found = nullptr;
  getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr)
    throw unmeasured("no_such_user", "this host knows no user " + user, "correct user: in the check");
  return entry.pw_uid;
}

/// status: "Uid:	1000	1000	1000	1000", the second is the one that counts.
bool belongs_to(const Host& host, int pid, std::uint64_t user) {
  const std::string status = read_if_there(host, folder_of(pid) + "/status").value_or("");
  std::string_view left = status;
  while (!left.empty()) {
    const auto words = words_of(take_line(left));
    if (words.size() >= 3 && words[0] == "Uid:") return leading_count(words[2]) == user;
  }
  return false;
}

struct Wanted {
  const Host& host;
  const Config& config;
  std::optional<std::uint64_t> user;

  bool fits(const ProcessStat& stat) const {
    if (!config.name.empty() && stat.name != config.name.substr(0, longest_name)) return false;
    if (config.command && !matches(**config.command, command_of(host, stat))) return false;
    return !user || belongs_to(host, stat.pid, *user);
  }
};

/// Since Linux 6.2 the folder's size is the number of its entries, which everybody may see; before it is 0.
std::optional<double> count_open_files(const Host& host, int pid) {
  const std::string folder = host.root + folder_of(pid) + "/fd";
  struct statfs system {};
  struct stat about {};
  if (statfs(folder.c_str(), &system) != 0 || stat(folder.c_str(), &about) != 0) return std::nullopt;
  if (system.f_type == PROC_SUPER_MAGIC && about.st_size > 0) return static_cast<double>(about.st_size);
  const auto names = list_folder(folder);
  return names ? std::optional(static_cast<double>(names->size())) : std::nullopt;
}

/// "Max open files            1024                 524288               files": the first is the one that hurts.
std::optional<double> open_files_limit(const Host& host, int pid) {
  const std::string limits = read_if_there(host, folder_of(pid) + "/limits").value_or("");
  const auto limit = counted(limits, "Max open files");
  return limit ? std::optional(static_cast<double>(*limit)) : std::nullopt;
}

void take(const Wanted& wanted, ProcessStat stat, Facts& facts) {
  if (stat.state == 'Z' || stat.state == 'X') {
    facts.zombies.push_back(std::move(stat));
    return;
  }
  Found found{.stat = std::move(stat)};
  if (facts.found.size() < most_detailed) {
    found.open_files = count_open_files(wanted.host, found.stat.pid);
    found.open_files_limit = open_files_limit(wanted.host, found.stat.pid);
  }
  if (facts.found.size() < most_processes) facts.found.push_back(std::move(found));
}

bool is_hidden(const Host& host) { return !read_process(host, 1); }

double seconds_of(Wall at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

/// Whether the process began after its number was written down: then the number was used again. What fits by name or
/// command line as well is believed, since a clock that was set meanwhile would look the same.
bool was_reused(const Wanted& wanted, const ProcessStat& stat, double written, const Facts& facts) {
  if (!wanted.fits(stat)) return true;
  if (!wanted.config.name.empty() || wanted.config.command) return false;
  const double began = seconds_of(facts.now.wall) - (facts.up - stat.started);
  return began > written + reuse_margin;
}

void look_up(const Wanted& wanted, Facts& facts) {
  const std::string& path = wanted.config.pidfile;
  struct stat about {};
  facts.hidden = is_hidden(wanted.host);
  if (stat((wanted.host.root + path).c_str(), &about) != 0 && errno == ENOENT) {
    facts.pidfile = PidFile::missing;
    return;
  }
  const auto number = leading_count(wanted.host.read(path));
  facts.pid = number && *number < INT32_MAX ? static_cast<int>(*number) : 0;
  if (facts.pid == 0) {
    facts.pidfile = PidFile::senseless;
    return;
  }
  auto stat = read_process(wanted.host, facts.pid);
  if (!stat) {
    facts.pidfile = PidFile::process_gone;
  } else if (stat->of_kernel || was_reused(wanted, *stat, static_cast<double>(about.st_mtim.tv_sec), facts)) {
    facts.pidfile = PidFile::number_reused;
    facts.instead = stat->name;
  } else {
    take(wanted, std::move(*stat), facts);
  }
}

void search(const Wanted& wanted, Facts& facts) {
  Processes processes = walk_processes(wanted.host);
  facts.hidden = processes.hidden;
  for (ProcessStat& stat : processes.all) {
    if (wanted.fits(stat)) take(wanted, std::move(stat), facts);
  }
}

bool is_user(const std::string& user) {
  return user.find_first_of(" \t\n:/") == std::string::npos && user.size() <= 256;
}

}  // namespace

std::string Config::meant() const {
  std::string text = "process";
  if (!name.empty()) text += " named " + name;
  if (command) text += " with a command line like '" + foreign_text(pattern_text(**command)) + "'";
  if (!user.empty()) text += " of user " + user;
  if (!pidfile.empty()) text += " of " + pidfile;
  return text;
}

Config parse(config::Reader& in) {
  Config config;
  config.pidfile = in.optional("pidfile", config::Text{}, "", "File with the process's number");
  config.name = in.optional("name", config::Text{.longest = 255}, "",
                            "Name of the program, as ps -e shows it; the kernel keeps and compares 15 bytes");
  config.command = in.maybe("command", Pattern{}, "Regular expression (RE2) that the command line must match");
  config.user = in.optional("user", config::Text{.longest = 256}, "", "User, by name or number, that it must run as");
  in.object("expect", "How many there must be", [&](config::Reader& expect) {
    config.least = expect.optional("min", config::Integer{.smallest = 0, .largest = 10'000}, 1, "At least so many");
    config.most = expect.maybe("max", config::Integer{.smallest = 0, .largest = 10'000}, "At most so many");
  });
  if (config.pidfile.empty() && config.name.empty() && !config.command) {
    in.problem("", "needs 'pidfile', 'name' or 'command'");
  }
  if (!config.pidfile.empty() && !config.pidfile.starts_with('/')) {
    in.problem("pidfile", "expected an absolute path such as /run/nginx.pid, found '" + config.pidfile + "'");
  }
  if (!is_user(config.user)) in.problem("user", "expected a name or a number, found '" + config.user + "'");
  if (config.most && *config.most < config.least) in.problem("expect", "'max' is less than 'min'");
  return config;
}

Facts find_processes(const Host& host, const Config& config, const Now& now) {
  Facts facts;
  facts.now = now;
  const std::string up = host.read("/proc/uptime");
  facts.up = static_cast<double>(leading_count(up).value_or(0));
  facts.boot = read_if_there(host, "/proc/sys/kernel/random/boot_id").value_or("");
  Wanted wanted{.host = host, .config = config, .user = {}};
  if (!config.user.empty()) wanted.user = user_number(config.user);
  if (config.pidfile.empty()) {
    search(wanted, facts);
  } else {
    look_up(wanted, facts);
  }
  return facts;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  context.phases.begin("look through /proc");
  const auto facts = std::make_shared<Facts>();
  auto job = [facts, config, host = context.host, now = context.clock.now()] {
    *facts = find_processes(host, config, now);
  };
  co_await context.workers.run(processes_key, std::move(job));
  facts->before = std::string(context.memory);
  co_return std::move(*facts);
}

}  // namespace vitald::probes::process
