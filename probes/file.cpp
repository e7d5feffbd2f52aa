#include "probes/file.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "config/ascii.hpp"
#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/file_words.hpp"
#include "probes/log_bytes.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::file {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr mode_t mode_bits = 07777;

std::optional<mode_t> read_mode(config::Reader& in, std::string_view key, std::string_view help) {
  const auto text = in.maybe(key, config::Text{.longest = 16}, help);
  if (!text) return std::nullopt;
  const bool is_octal = text->size() <= 5 && text->find_first_not_of("01234567") == std::string::npos;
  const unsigned long value = is_octal ? std::stoul(*text, nullptr, 8) : mode_bits + 1u;
  if (value <= mode_bits) return static_cast<mode_t>(value);
  in.problem(key, "expected an octal mode such as \"0640\", found '" + *text + "'");
  return std::nullopt;
}

std::string read_checksum(config::Reader& in) {
  std::string text =
      in.maybe("sha256", config::Text{.longest = 256}, "SHA-256 of its content, in hexadecimal").value_or("");
  std::transform(text.begin(), text.end(), text.begin(), ascii_lower);
  const bool is_one = text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!text.empty() && !is_one) in.problem("sha256", "expected 64 hexadecimal digits, as sha256sum prints them");
  return text;
}

/// What the worker's job touches: its own, since it may outlive the run.
struct Job {
  Config config;
  std::string root;
  Facts facts = {};
  std::function<bool()> stop;

  void work() {
    struct stat seen {};
    const std::string path = root + config.path;
    const int failed = config.type == Type::symlink ? ::lstat(path.c_str(), &seen) : ::stat(path.c_str(), &seen);
    if (failed != 0) {
      if (errno != ENOENT && errno != ENOTDIR) facts.trouble = trouble_with(config.path, errno);
      return;
    }
    facts.found = found(seen, path);
    if (config.exists && config.reads() && !S_ISDIR(seen.st_mode)) read(path);
  }

 private:
  Found found(const struct stat& seen, const std::string& path) const {
    Found made{.mode = seen.st_mode,
               .owner = name_of_user(seen.st_uid),
               .group = name_of_group(seen.st_gid),
               .uid = seen.st_uid,
               .gid = seen.st_gid,
               .size = static_cast<std::uint64_t>(seen.st_size),
               .modified = Wall(std::chrono::seconds(seen.st_mtim.tv_sec) + Duration(seen.st_mtim.tv_nsec)),
               .leads_to = {}};
    std::string target(4096, '\0');
    const auto length = ::readlink(path.c_str(), target.data(), target.size());
    if (length > 0) made.leads_to = target.substr(0, static_cast<std::size_t>(length));
    return made;
  }

  void read(const std::string& path) {
    std::error_code error;
    const auto bytes = LogBytes::open_plain(path, error);
    if (bytes == nullptr) {
      facts.trouble = trouble_with(config.path, error.value());
      return;
    }
    Examination examination({config.contains, config.forbidden, config.comment});
    std::uint64_t at = 0;
    for (std::string piece = bytes->read(at, piece_bytes); !piece.empty(); piece = bytes->read(at, piece_bytes)) {
      examination.feed(piece);
      at += piece.size();
      if (at > most_bytes || stop()) {
        facts.trouble = unmeasured("too_large:" + config.path, config.path + " is too large to be read in time",
                                   "raise the check's timeout; more than 256 MiB are never read");
        return;
      }
    }
    facts.text = examination.finish();
  }

  static std::string name_of_user(uid_t uid) {
    std::string room(16 * 1024, '\0');
    passwd entry{}, *known = nullptr;
    if (::getpwuid_r(uid, &entry, room.data(), room.size(), &known) != 0 || known == nullptr)
      return std::to_string(uid);
    return known->pw_name;
  }
  static std::string name_of_group(gid_t gid) {
    std::string room(64 * 1024, '\0');
    group entry{}, *known = nullptr;
    if (::getgrgid_r(gid, &entry, room.data(), room.size(), &known) != 0 || known == nullptr)
      return std::to_string(gid);
    return known->gr_name;
  }
};

void check_together(const Config& config, config::Reader& in) {
  if (!config.path.empty() && !config.path.starts_with('/'))
    in.problem("file", "expected an absolute path such as /etc/crontab, found '" + config.path + "'");
  const bool wants = config.type != Type::any || !config.owner.empty() || !config.group.empty() || config.mode ||
                     config.mode_at_most || config.reads();
  if (!config.exists && wants) in.problem("exists", "a file that must not exist cannot have to be anything else");
  if (config.mode && config.mode_at_most) in.problem("mode_at_most", "'mode' says it all already");
  if (config.reads() && (config.type == Type::directory || config.type == Type::symlink))
    in.problem("type", "only the content of a regular file can be looked at");
}

}  // namespace

Config parse(config::Reader& in) {
  const config::Text name{.longest = 64};
  const config::ListOf<Pattern> patterns{.kind = {}, .single = true, .most = 32};
  Config config;
  config.path = in.required("file", config::Text{}, "Absolute path of the file");
  config.exists = in.optional("exists", config::Boolean{}, true, "Whether it must be there; false: it must not");
  const auto type = in.optional("type", config::OneOf{{"any", "regular", "directory", "symlink"}}, "any",
                                "What it must be; symlink looks at the link itself, all others at what it leads to");
  config.type = type == "regular"     ? Type::regular
                : type == "directory" ? Type::directory
                : type == "symlink"   ? Type::symlink
                                      : Type::any;
  config.owner = in.maybe("owner", name, "User that it must belong to, by name or number").value_or("");
  config.group = in.maybe("group", name, "Group that it must belong to, by name or number").value_or("");
  config.mode = read_mode(in, "mode", "Mode that it must have, as chmod takes it: \"0640\"");
  config.mode_at_most =
      read_mode(in, "mode_at_most", "Mode beyond which it must allow nothing: \"0640\" takes \"0600\" as well");
  config.sha256 = read_checksum(in);
  config.contains = in.optional("contains", patterns, {}, "Regular expressions, each of which some line must match");
  config.forbidden = in.optional("must_not_contain", patterns, {}, "Regular expressions that no line may match");
  config.comment = in.maybe("comment", config::Text{.longest = 16},
                            "What begins a line that does not count for these two, such as \"#\"")
                       .value_or("");
  check_together(config, in);
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  const auto job = std::make_shared<Job>();
  job->config = config;
  job->root = context.host.root;
  job->stop = [&clock = context.clock, end = context.deadline] { return clock.now().steady >= end; };
  context.phases.begin("read");
  std::function<void()> work = [job] { job->work(); };
  std::string key = config.target();
  co_await context.workers.run(std::move(key), std::move(work));
  context.phases.mark("read");
  job->facts.before = std::string(context.memory);
  job->facts.now = context.started.wall;
  co_return std::move(job->facts);
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  if (facts.found) {
    const double age = std::chrono::duration<double>(facts.now - facts.found->modified).count();
    const double size = static_cast<double>(facts.found->size);
    seen.samples.push_back(
        {.name = "age",
         .value = std::max(0.0, age),
         .says = config.path + " was last written " + say_duration(facts.now - facts.found->modified) + " ago"});
    seen.samples.push_back({.name = "size", .value = size, .says = config.path + " is " + say_bytes(size)});
  }
  const std::string now = describe(facts);
  if (!facts.trouble) {
    const std::string change = facts.before.empty() ? "" : difference(config.path, facts.before, now);
    seen.samples.push_back({.name = "changes", .value = change.empty() ? 0.0 : 1.0, .says = change});
    if (!change.empty()) seen.evidence.push_back({"change", change});
    seen.memory = now;
  }
  if (facts.found) seen.evidence.push_back({"file", say(*facts.found)});
  if (!facts.found && !facts.trouble) {
    seen.summary = config.path + " does not exist";
  } else if (facts.found) {
    seen.summary = config.path + " is as it should be";
  }
  blame(find_faults(config, facts), seen, most_shown);
  return seen;
}

}  // namespace vitald::probes::file
