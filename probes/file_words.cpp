#include "probes/file_words.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes::file {
namespace {

std::string octal(mode_t mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3) text += static_cast<char>('0' + (mode >> shift & 7));
  return text;
}

std::string kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "regular file";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "symbolic link";
    case S_IFSOCK:
      return "socket";
    case S_IFIFO:
      return "FIFO";
    default:
      return "device";
  }
}

mode_t bits_of(Type type) {
  return type == Type::regular ? S_IFREG : type == Type::directory ? S_IFDIR : type == Type::symlink ? S_IFLNK : 0;
}

bool is_owner(const std::string& wanted, const std::string& name, std::uint64_t number) {
  return wanted.empty() || wanted == name || wanted == std::to_string(number);
}

void find_wrong_kind(const Config& config, const Found& found, Faults& faults) {
  const mode_t wanted = bits_of(config.type);
  if (wanted != 0 && (found.mode & S_IFMT) != wanted) {
    faults.push_back(
        wrong("wrong_type", config.path + " is a " + kind_of(found.mode) + ", expected a " + kind_of(wanted)));
  } else if (config.reads() && !S_ISREG(found.mode)) {
    faults.push_back(wrong("wrong_type", config.path + " is a " + kind_of(found.mode) + ", expected a regular file"));
  }
}

void find_wrong_rights(const Config& config, const Found& found, Faults& faults) {
  const std::string& path = config.path;
  const mode_t mode = found.mode & 07777;
  if (!is_owner(config.owner, found.owner, found.uid)) {
    faults.push_back(wrong("wrong_owner", path + " belongs to " + found.owner + ", expected " + config.owner,
                           "run: chown " + config.owner + " " + path));
  }
  if (!is_owner(config.group, found.group, found.gid)) {
    faults.push_back(wrong("wrong_group", path + " belongs to group " + found.group + ", expected " + config.group,
                           "run: chgrp " + config.group + " " + path));
  }
  if (config.mode && mode != *config.mode) {
    faults.push_back(wrong("wrong_mode", path + " has mode " + octal(mode) + ", expected " + octal(*config.mode),
                           "run: chmod " + octal(*config.mode) + " " + path));
  }
  if (config.mode_at_most && (mode & ~*config.mode_at_most) != 0) {
    faults.push_back(wrong(
        "wrong_mode", path + " has mode " + octal(mode) + ", at most " + octal(*config.mode_at_most) + " is allowed",
        "run: chmod " + octal(mode & *config.mode_at_most) + " " + path));
  }
}

void find_wrong_content(const Config& config, const Text& text, Faults& faults) {
  for (std::size_t i = 0; i < config.contains.size(); ++i) {
    if (i < text.contained.size() && text.contained[i]) continue;
    faults.push_back(wrong("line_missing", "no line of " + config.path + " matches " +
                                               foreign_text(pattern_text(*config.contains[i]), 120)));
  }
  for (const Forbidden& each : text.forbidden) {
    faults.push_back(wrong("forbidden_line", "line " + std::to_string(each.line) + " of " + config.path +
                                                 " must not be there: " + each.text));
  }
  if (!config.sha256.empty() && text.sha256 != config.sha256) {
    faults.push_back(wrong("wrong_checksum",
                           config.path + " has changed: its SHA-256 begins with " + text.sha256.substr(0, 12) +
                               ", expected " + config.sha256.substr(0, 12),
                           "see what changed; if it is meant to be so: sha256sum " + config.path));
  }
}

}  // namespace

ProbeFailure trouble_with(const std::string& path, int error) {
  if (error == EACCES || error == EPERM) {
    // crontab(1) makes the file anew at each change, and no rule about the old one stays.
    const bool is_crontab = path.starts_with("/var/spool/cron/");
    return unmeasured("denied:" + path, "vitald may not read " + path,
                      is_crontab ? "give vitald the capability CAP_DAC_READ_SEARCH: docs/rights.md, crontabs"
                                 : "run: setfacl -m u:vitald:r " + path + ", and u:vitald:x on the folders above it");
  }
  return unmeasured("unreadable:" + path,
                    "vitald could not read " + path + ": " + std::generic_category().message(error));
}

Faults find_faults(const Config& config, const Facts& facts) {
  Faults faults;
  if (facts.found && !config.exists) {
    faults.push_back(wrong("must_not_exist", config.path + " exists, and must not: " + say(*facts.found)));
  } else if (facts.found) {
    find_wrong_kind(config, *facts.found, faults);
    find_wrong_rights(config, *facts.found, faults);
    if (facts.text) find_wrong_content(config, *facts.text, faults);
  } else if (config.exists && !facts.trouble) {
    faults.push_back(wrong("missing", config.path + " does not exist"));
  }
  if (facts.trouble && faults.empty()) faults.push_back(*facts.trouble);
  return faults;
}

std::string say(const Found& found) {
  std::string text = kind_of(found.mode) + ", " + say_bytes(static_cast<double>(found.size)) + ", mode " +
                     octal(found.mode & 07777) + ", " + found.owner + ":" + found.group + ", last written " +
                     say_time(found.modified, true);
  if (!found.leads_to.empty()) text += ", leads to " + foreign_text(found.leads_to, 200);
  return text;
}

std::string describe(const Facts& facts) {
  Remembered seen;
  seen.set("there", facts.found ? "yes" : "no");
  if (!facts.found) return seen.written();
  const Found& found = *facts.found;
  seen.set("kind", kind_of(found.mode));
  seen.set("size", say_bytes(static_cast<double>(found.size)));
  seen.set("mode", octal(found.mode & 07777));
  seen.set("owner", found.owner + ":" + found.group);
  seen.set("link", found.leads_to);
  // A file that was only touched has not changed, where that can be told.
  if (facts.text) {
    seen.set("content", facts.text->sha256.substr(0, 12));
  } else {
    seen.set("written", say_time(found.modified, true));
  }
  return seen.written();
}

std::string difference(const std::string& path, const std::string& before, const std::string& now) {
  const Remembered was = Remembered::read(before), is = Remembered::read(now);
  if (was.text("there") != is.text("there"))
    return path + (is.text("there") == "yes" ? " has come into being" : " is gone");
  std::string text;
  for (const std::string_view key : {"kind", "mode", "owner", "link", "size", "content", "written"}) {
    const auto old = was.text(key), fresh = is.text(key);
    if (!old || !fresh || *old == *fresh) continue;
    text += (text.empty() ? "" : ", ") + std::string(key) + " was " + foreign_text(*old) + " and is " +
            foreign_text(*fresh);
  }
  return text.empty() ? "" : path + " has changed: " + text;
}

}  // namespace vitald::probes::file
