#include "probes/glob.hpp"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <tuple>

#include "probes/faults.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_parts = 32;

bool has_wildcard(std::string_view part) { return part.find_first_of("*?[") != std::string_view::npos; }

std::vector<std::string> parts_of(std::string_view pattern) {
  std::vector<std::string> parts;
  while (!pattern.empty()) {
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    if (slash > 0) parts.emplace_back(pattern.substr(0, slash));
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
  }
  return parts;
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

class Search {
 public:
  Search(const std::string& root, const GlobLimits& limits) : root_(root), limits_(limits) {}

  void begin(const std::string& pattern) {
    parts_ = parts_of(pattern);
    descend("", 0, false);
  }

  FoundFiles finish() {
    auto& files = found_.files;
    const auto key = [](const FoundFile& file) { return std::tie(file.device, file.inode, file.path); };
    std::sort(files.begin(), files.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
    files.erase(std::unique(files.begin(), files.end(), same), files.end());
    return std::move(found_);
  }

 private:
  [[noreturn]] static void refuse(const std::string& folder, int error) {
    if (error == EACCES || error == EPERM) {
      throw unmeasured("denied:" + folder, "vitald may not look into " + folder,
                       "run: setfacl -m u:vitald:rx " + folder);
    }
    throw failure_from(std::error_code(error, std::system_category()), "look into " + folder);
  }

  [[noreturn]] void refuse_many() const {
    throw unmeasured("too_many_files",
                     "more than " + std::to_string(limits_.files) + " files, or folders of more than " +
                         std::to_string(limits_.entries) + " entries, are too many to look at",
                     "name fewer with a narrower pattern");
  }

  /// `path` names what the first `next` parts have matched; `guessed`: one of them had a wildcard.
  void descend(std::string path, std::size_t next, bool guessed) {
    while (next < parts_.size() && !has_wildcard(parts_[next])) path.append("/").append(parts_[next++]);
    if (next == parts_.size()) {
      add(path);
    } else {
      list(path.empty() ? "/" : path, next, guessed);
    }
  }

  void list(const std::string& folder, std::size_t next, bool guessed) {
    const std::unique_ptr<DIR, CloseFolder> open(opendir((root_ + folder).c_str()));
    if (open == nullptr) {
      const bool absent = errno == ENOENT || errno == ENOTDIR;
      if (!absent) refuse(folder, errno);
      if (!guessed && found_.missing_folder.empty()) found_.missing_folder = folder;
      return;
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(open.get())) {
      if (++entries_ > limits_.entries) refuse_many();
      if (fnmatch(parts_[next].c_str(), entry->d_name, FNM_PERIOD) == 0) names.emplace_back(entry->d_name);
      if (names.size() > limits_.files) refuse_many();
      errno = 0;
    }
    if (errno != 0) refuse(folder, errno);
    const std::string prefix = folder == "/" ? "" : folder;
    for (const std::string& name : names) descend(prefix + "/" + name, next + 1, true);
  }

  void add(const std::string& path) {
    struct stat status {};
    if (stat((root_ + path).c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return;  // gone, or a link to nothing
      refuse(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)), errno);
    }
    if (!S_ISREG(status.st_mode)) return;
    if (found_.files.size() == limits_.files) refuse_many();
    found_.files.push_back({.path = path,
                            .device = status.st_dev,
                            .inode = status.st_ino,
                            .size = static_cast<std::uint64_t>(status.st_size),
                            .changed = wall_of(status.st_mtim)});
  }

  const std::string& root_;
  const GlobLimits limits_;
  std::vector<std::string> parts_;
  std::size_t entries_ = 0;
  FoundFiles found_;
};

}  // namespace

std::string FoundFile::identity() const {
  return std::to_string(device) + ":" + std::to_string(inode) + ":" + std::to_string(size) + ":" +
         std::to_string(changed.time_since_epoch().count());
}

Wall wall_of(const timespec& time) {
  constexpr time_t latest = 7258118400;  // 2200-01-01
  return Wall(std::chrono::seconds(std::clamp<time_t>(time.tv_sec, 0, latest)) +
              std::chrono::nanoseconds(time.tv_nsec));
}

std::string wrong_with_pattern(std::string_view pattern) {
  if (!pattern.starts_with('/')) return "expected an absolute path such as /var/backups/*.gz";
  if (pattern.ends_with('/')) return "expected the files, not their folder: /var/backups/*.gz";
  if (pattern.find("**") != std::string_view::npos) return "'**' is not possible; write one '*' for each folder";
  if (pattern.find('\0') != std::string_view::npos) return "a path cannot hold a NUL";
  if (parts_of(pattern).size() > most_parts) return "has more than " + std::to_string(most_parts) + " folders";
  return "";
}

FoundFiles find_files(const std::string& root, const std::vector<std::string>& patterns, const GlobLimits& limits) {
  Search search(root, limits);
  for (const std::string& pattern : patterns) search.begin(pattern);
  return search.finish();
}

}  // namespace vitald::probes
