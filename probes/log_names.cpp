#include "probes/log_names.hpp"

#include <dirent.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <set>

namespace vitald::probes {
namespace {

constexpr std::size_t most_entries = 20'000;  // of a folder
constexpr std::array packed_endings{".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z", ".zip"};

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view without_packing(std::string_view name) {
  for (const std::string_view ending : packed_endings) {
    if (name.size() > ending.size() && name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return name;
}

/// ".1", "-20261128", "__2026-11-28_00-00-00", "-2026-11-28T00:00:00Z", ".old".
bool is_rotation_mark(std::string_view mark) {
  if (mark.size() < 2 || std::string_view("._-").find(mark.front()) == std::string_view::npos) return false;
  if (mark == ".old") return true;
  return mark.find_first_not_of("0123456789._:-TZ") == std::string_view::npos &&
         mark.find_first_of("0123456789") != std::string_view::npos;
}

std::vector<std::string> matches_of(const std::string& root, const std::string& pattern) {
  std::vector<std::string> found;
  glob_t matched{};
  if (::glob((root + pattern).c_str(), 0, nullptr, &matched) == 0) {
    for (std::size_t i = 0; i < matched.gl_pathc && i < most_entries; ++i) {
      found.push_back(std::string(matched.gl_pathv[i]).substr(root.size()));
    }
  }
  ::globfree(&matched);
  return found;
}

/// The folder in front of the first wildcard, where it may not be listed.
std::string denied_folder(const std::string& root, const std::string& pattern) {
  const std::string folder = folder_of(pattern.substr(0, pattern.find_first_of("*?[")) + "x");
  const int listed = ::access((root + folder + "/").c_str(), R_OK | X_OK);
  return listed != 0 && errno == EACCES ? folder : "";
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

std::vector<std::string> siblings(const std::string& root, const std::string& path) {
  std::vector<std::string> found;
  const std::string folder = folder_of(path);
  const std::unique_ptr<DIR, CloseFolder> open(::opendir((root + folder + "/").c_str()));
  if (open == nullptr) return found;
  for (std::size_t i = 0; i < most_entries; ++i) {
    const dirent* const entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (is_rotated_name(name_of(path), name)) found.push_back(folder + "/" + std::string(name));
  }
  return found;
}

}  // namespace

bool is_packed_name(std::string_view name) { return without_packing(name) != name; }

bool is_rotated_name(std::string_view log, std::string_view name) {
  name = without_packing(name);
  if (name.size() <= log.size()) return false;
  if (name.starts_with(log)) return is_rotation_mark(name.substr(log.size()));
  const std::size_t dot = log.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view ending = log.substr(dot);
  if (!name.starts_with(log.substr(0, dot)) || !name.ends_with(ending)) return false;
  return is_rotation_mark(name.substr(dot, name.size() - dot - ending.size()));
}

std::vector<LogFile> rotated_files(const std::string& root, const std::string& path,
                                   const std::vector<std::string>& elsewhere, std::size_t most) {
  auto names = siblings(root, path);
  for (const std::string& pattern : elsewhere) {
    for (std::string& found : matches_of(root, pattern)) names.push_back(std::move(found));
  }
  std::vector<LogFile> files;
  std::set<std::string> seen{path};
  for (const std::string& name : names) {
    auto file = seen.insert(name).second ? find_log(root, name) : std::nullopt;
    if (file) files.push_back(std::move(*file));
  }
  std::stable_sort(files.begin(), files.end(),
                   [](const LogFile& a, const LogFile& b) { return a.modified > b.modified; });
  if (files.size() > most) files.resize(most);
  return files;
}

LogNames find_logs(const std::string& root, const std::vector<std::string>& patterns) {
  LogNames names;
  std::set<std::string> plain, matched;
  for (const std::string& pattern : patterns) {
    if (!is_glob(pattern)) {
      plain.insert(pattern);
      continue;
    }
    const auto found = matches_of(root, pattern);
    for (const std::string& path : found) {
      if (!is_packed_name(path)) matched.insert(path);
    }
    const std::string denied = found.empty() ? denied_folder(root, pattern) : "";
    if (!denied.empty()) names.denied.push_back(denied);
  }
  const auto is_rotated = [&](const std::string& path) {
    const auto made_of = [&](const std::string& other) {
      return folder_of(other) == folder_of(path) && is_rotated_name(name_of(other), name_of(path));
    };
    return std::any_of(matched.begin(), matched.end(), made_of) || std::any_of(plain.begin(), plain.end(), made_of);
  };
  names.paths.assign(plain.begin(), plain.end());
  for (const std::string& path : matched) {
    if (!plain.contains(path) && !is_rotated(path)) names.paths.push_back(path);
  }
  std::sort(names.paths.begin(), names.paths.end());
  return names;
}

bool is_glob(std::string_view path) { return path.find_first_of("*?[") != std::string_view::npos; }

}  // namespace vitald::probes
