// load_document: the files of one configuration, joined.
#include <glob.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "config/document.hpp"
#include "config/regular_file.hpp"
#include "config/shown.hpp"

namespace vitald::config {
namespace {

using FileId = std::pair<dev_t, ino_t>;

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  for (const Node::Member& member : node.members) count += count_nodes(member.value);
  return count;
}

bool has_wildcard(const std::string& pattern) { return pattern.find_first_of("*?[") != std::string::npos; }

/// The paths that `pattern` stands for, by name. glob(3) sorts by locale, so it does not sort here.
std::vector<std::string> expand(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Loader {
 public:
  Loader(Problems& problems, const Bounds& bounds) : problems_(problems), bounds_(bounds) {}

  Node load(const std::filesystem::path& path) {
    add_file(path.string(), std::nullopt);
    return std::move(merged_);
  }

 private:
  struct Step {
    FileId id;
    std::string path;
  };

  /// A problem of `path`: at the include that named it, or in the file itself where nothing did.
  void complain(const std::optional<Position>& named_at, const std::string& path, const std::string& what) {
    if (named_at) {
      problems_.error(*named_at, path + ": " + what);
    } else {
      problems_.error({std::make_shared<const std::string>(path), 0, 0}, what);
    }
  }

  void add_file(const std::string& path, const std::optional<Position>& named_at) {
    if (stopped_) return;
    if (files_.size() >= bounds_.files)
      return stop(named_at, path, "there are more than " + std::to_string(bounds_.files) + " files");
    auto file = read_regular_file(path, bounds_.file_bytes);
    if (!file) return complain(named_at, path, file.failure().what);
    const FileId id{file->device, file->inode};
    if (named_at && !may_include(id, path, *named_at)) return;
    bytes_ += file->text.size();
    if (bytes_ > bounds_.all_bytes) {
      return stop(named_at, path,
                  "all files together are larger than " + std::to_string(bounds_.all_bytes >> 20) + " MiB");
    }
    files_.emplace(id, named_at);
    Node root = parse_text(file->text, path, problems_, bounds_);
    file->text.clear();
    file->text.shrink_to_fit();
    nodes_ += count_nodes(root);
    if (nodes_ > bounds_.nodes) {
      return stop(named_at, path, "all files together have more than " + std::to_string(bounds_.nodes) + " values");
    }
    chain_.push_back({id, path});
    merge(std::move(root), path);
    chain_.pop_back();
  }

  void stop(const std::optional<Position>& named_at, const std::string& path, const std::string& what) {
    complain(named_at, path, what);
    stopped_ = true;
  }

  bool may_include(const FileId& id, const std::string& path, const Position& named_at) {
    const auto loop = std::find_if(chain_.begin(), chain_.end(), [&](const Step& step) { return step.id == id; });
    if (loop != chain_.end()) {
      std::string way;
      for (auto step = loop; step != chain_.end(); ++step) way += step->path + " includes ";
      problems_.error(named_at, "a file cannot include itself: " + way + path);
      return false;
    }
    if (const auto known = files_.find(id); known != files_.end()) {
      problems_.error(named_at, path + ": is included twice, first at " + known->second.value_or(Position{}).text());
      return false;
    }
    if (static_cast<int>(chain_.size()) > bounds_.include_depth) {
      problems_.error(named_at, path + ": includes are nested deeper than " + std::to_string(bounds_.include_depth));
      return false;
    }
    return true;
  }

  void merge(Node root, const std::string& path) {
    if (root.kind == Node::Kind::null) {
      if (merged_.kind == Node::Kind::null && !merged_.at.file) merged_.at = root.at;
      return;  // an included file may be empty, or hold only comments
    }
    if (root.kind != Node::Kind::mapping) {
      problems_.error(root.at, "expected a mapping of keys such as 'checks:', found " + std::string(root.kind_name()));
      return;
    }
    if (merged_.kind == Node::Kind::null) {
      merged_.kind = Node::Kind::mapping;
      merged_.at = root.at;
    }
    Node include;
    for (Node::Member& member : root.members) {
      if (member.key == "include") {
        include = std::move(member.value);
      } else {
        join(std::move(member));
      }
    }
    follow(include, path);
  }

  void join(Node::Member member) {
    const auto same = std::find_if(merged_.members.begin(), merged_.members.end(),
                                   [&](const Node::Member& known) { return known.key == member.key; });
    if (same == merged_.members.end()) {
      if (member.value.kind == Node::Kind::mapping) {
        auto& seen = places_[member.key];
        for (const Node::Member& below : member.value.members) seen.emplace(below.key, below.at);
      }
      merged_.members.push_back(std::move(member));
    } else if (same->value.kind == Node::Kind::mapping && member.value.kind == Node::Kind::mapping) {
      join_members(same->value, std::move(member.value), places_[member.key]);
    } else if (same->value.kind == Node::Kind::sequence && member.value.kind == Node::Kind::sequence) {
      std::move(member.value.items.begin(), member.value.items.end(), std::back_inserter(same->value.items));
    } else if (same->value.kind == Node::Kind::null) {
      same->value = std::move(member.value);
    } else if (member.value.kind != Node::Kind::null) {
      problems_.error(member.at, "'" + shown(member.key) + "' stands in two files, first at " + same->at.text());
    }
  }

  void join_members(Node& into, Node from, std::map<std::string, Position>& seen) {
    for (Node::Member& member : from.members) {
      const auto [known, fresh] = seen.emplace(member.key, member.at);
      if (fresh) {
        into.members.push_back(std::move(member));
      } else {
        problems_.error(member.at, "'" + shown(member.key) + "' stands in two files, first at " + known->second.text());
      }
    }
  }

  void follow(const Node& include, const std::string& path) {
    if (include.kind == Node::Kind::sequence) {
      for (const Node& item : include.items) follow_one(item, path);
    } else if (include.kind != Node::Kind::null || include.at.file) {
      follow_one(include, path);
    }
  }

  void follow_one(const Node& item, const std::string& path) {
    if (item.kind != Node::Kind::scalar || item.scalar.empty()) {
      problems_.error(item.at,
                      "'include': expected a file or pattern such as conf.d/*.yaml, or a list of them, found " +
                          std::string(item.kind_name()));
      return;
    }
    const auto pattern = (std::filesystem::path(path).parent_path() / item.scalar).string();
    if (!has_wildcard(item.scalar)) return add_file(pattern, item.at);
    for (const std::string& match : expand(pattern)) add_file(match, item.at);
  }

  Problems& problems_;
  const Bounds& bounds_;
  Node merged_;
  std::map<FileId, std::optional<Position>> files_;                // and where they were included
  std::map<std::string, std::map<std::string, Position>> places_;  // of the members of each top-level mapping
  std::vector<Step> chain_;
  std::size_t bytes_ = 0;
  std::size_t nodes_ = 0;
  bool stopped_ = false;
};

}  // namespace

Node load_document(const std::filesystem::path& path, Problems& problems, const Bounds& bounds) {
  return Loader(problems, bounds).load(path);
}

}  // namespace vitald::config
