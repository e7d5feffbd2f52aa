#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace vitald::tidy {
namespace {

constexpr int most_columns = 120;
constexpr int most_lines = 500;
constexpr int many_lines = 300;

using Names = std::set<std::string>;

/// What each folder may include of the others.
const std::map<std::string, Names>& diamond() {
  static const std::map<std::string, Names> sees = {
      {"config", {"config"}},
      {"alerting", {"config", "alerting"}},
      {"rehearsal", {"config", "alerting", "rehearsal"}},
      {"probes", {"config", "probes"}},
      {"daemon", {"config", "alerting", "rehearsal", "probes", "daemon"}},
      {"tests", {"config", "alerting", "rehearsal", "probes", "daemon", "tests"}},
  };
  return sees;
}

/// Headers that only these files (or folders, which end with '/') may include.
struct Fence {
  std::string header;
  Names allowed;
  std::string why;
};

const std::vector<Fence>& fences() {
  static const std::vector<Fence> all = {
      {"boost/beast",
       {"probes/net/http_codec.cpp", "daemon/admin_http_codec.cpp"},
       "Beast needs over a gigabyte for each file"},
      {"boost/asio", {"probes/", "daemon/", "tests/"}, "alerting and config are pure"},
      {"sqlite3", {"daemon/", "tests/"}, "only the store talks to SQLite"},
      {"yaml-cpp", {"config/document.cpp"}, "yaml-cpp's own nodes forget where a key stood"},
      {"boost/asio/experimental/awaitable_operators", {}, "a race inside a run is the runner's business"},
      {"regex>", {}, "std::regex needs unbounded stack and time; RE2 does not"},
  };
  return all;
}

bool allowed(const std::string& path, const Names& places) {
  return std::any_of(places.begin(), places.end(), [&](const std::string& place) {
    return place.ends_with('/') ? path.starts_with(place) : path == place;
  });
}

struct BannedWord {
  std::string word;
  Names allowed;
  std::string instead;
};

const std::vector<BannedWord>& banned_words() {
  static const Names clocks = {"daemon/clock.cpp", "tests/"};
  static const Names environment = {"config/secret.cpp",          "daemon/main.cpp",
                                    "daemon/commands_run.cpp",    "daemon/commands_ask.cpp",
                                    "daemon/service_manager.cpp", "tests/"};
  static const std::vector<BannedWord> all = {
      {"std::regex", {}, "use RE2"},
      {"using namespace std;", {}, "write std::"},
      {"async_resolve", {}, "use net::Network, which asks c-ares: getaddrinfo blocks a thread"},
      {"awaitable_operators", {}, "race in the runner only"},
      {"steady_clock::now", clocks, "take Now as an argument, or a Clock"},
      {"system_clock::now", clocks, "take Now as an argument, or a Clock"},
      {"high_resolution_clock", {}, "take Now as an argument, or a Clock"},
      {"clock_gettime", clocks, "take Now as an argument, or a Clock"},
      {"gettimeofday", {}, "take Now as an argument, or a Clock"},
      {"time(nullptr)", clocks, "take Now as an argument, or a Clock"},
      {"time(NULL)", {}, "take Now as an argument, or a Clock"},
      {"time(0)", {}, "take Now as an argument, or a Clock"},
      {"getenv", environment, "read the environment in main() and hand the value on"},
      {"secure_getenv", environment, "read the environment in main() and hand the value on"},
      {"sleep_for", {"daemon/log.cpp", "tests/"}, "wait on a timer of the loop"},
      {"sleep_until", {"tests/"}, "wait on a timer of the loop"},
      {"usleep", {}, "wait on a timer of the loop"},
      {"setenv", {"tests/"}, "nothing may change the environment under other threads"},
      {"malloc(", {"tests/"}, "use a container"},
      {"strcpy", {}, "use std::string"},
      {"sprintf", {}, "use snprintf"},
      {"system", {}, "nothing is run through a shell"},
  };
  return all;
}

std::string without_spaces(std::string_view line) {
  std::string out;
  for (const char each : line) {
    if (each != ' ' && each != '\t') out += each;
  }
  return out;
}

void check_directives(const Source& source, Findings& found) {
  std::size_t at = 0;
  for (int line = 1; at < source.code.size(); ++line) {
    const std::size_t end = std::min(source.code.size(), source.code.find('\n', at));
    const std::string directive = without_spaces(std::string_view(source.code).substr(at, end - at));
    if (directive.starts_with("#if") && directive.find("TEST") != std::string::npos) {
      found.push_back(finding(source, line, "the code must not know that it is tested"));
    }
    if (directive.starts_with("#define") && !directive.starts_with("#defineVITALD_ASSERT")) {
      found.push_back(finding(source, line, "a macro; use a function or a constant"));
    }
    at = end + 1;
  }
}

void check_unfinished(const Source& source, Findings& found) {
  // Written in two halves so that this file does not find itself.
  for (const std::string mark : {"TO"
                                 "DO",
                                 "FIX"
                                 "ME"}) {
    for (std::size_t at = source.text.find(mark); at != std::string::npos; at = source.text.find(mark, at + 1)) {
      found.push_back(finding(source, source.line_of(at), "an unfinished place (" + mark + ")"));
    }
  }
}

int columns(std::string_view line) {  // of UTF-8: continuation bytes take no column
  return static_cast<int>(std::count_if(line.begin(), line.end(), [](char each) { return (each & 0xC0) != 0x80; }));
}

int lines_of(const Source& source) {
  return static_cast<int>(std::count(source.text.begin(), source.text.end(), '\n'));
}

/// The include as a path from the top, "../config/now.hpp" in probes/net/x.hpp resolved.
std::string resolved(const Source& source, std::string include) {
  std::string folder = source.path.substr(0, source.path.rfind('/'));
  bool relative = include.starts_with("./");
  if (relative) include.erase(0, 2);
  while (include.starts_with("../")) {
    relative = true;
    include.erase(0, 3);
    const std::size_t slash = folder.rfind('/');
    folder = slash == std::string::npos ? "" : folder.substr(0, slash);
  }
  return relative && !folder.empty() ? folder + "/" + include : include;
}

/// What stands in front of `at` on its line and the one before.
std::string just_before(const Source& source, std::size_t at) {
  const std::size_t from = at < 120 ? 0 : at - 120;
  return trimmed(std::string_view(source.code).substr(from, at - from));
}

/// A private constructor or an aggregate cannot go through make_unique (clang 14 takes no parentheses for the latter):
/// `unique_ptr<T>(new T(…))`, `unique_ptr<T> name(new T(…))` and `member_(new T{…})` own what they are given at once.
bool owned_at_once(const std::string& before) {
  if (!before.ends_with('(')) return false;
  const std::size_t statement = before.find_last_of(";{}");
  return before.ends_with("_(") ||
         before.find("unique_ptr<", statement == std::string::npos ? 0 : statement) != std::string::npos;
}

}  // namespace

std::string finding(const Source& source, int line, const std::string& what) {
  return source.path + ":" + std::to_string(line) + ": " + what;
}

Findings include_rule(const Source& source) {
  Findings found;
  const Names& seen = diamond().at(source.folder());
  for (const auto& [include, line] : source.includes()) {
    const std::string target = resolved(source, include);
    const std::string folder = target.substr(0, target.find('/'));
    if (target != include) found.push_back(finding(source, line, "a relative include; write " + target));
    if (diamond().contains(folder) && !seen.contains(folder)) {
      found.push_back(finding(source, line, source.folder() + " must not see " + target));
    }
    for (const Fence& fence : fences()) {
      if (include.find(fence.header) != std::string::npos && !allowed(source.path, fence.allowed)) {
        found.push_back(finding(source, line, include + " must not be included here: " + fence.why));
      }
    }
  }
  return found;
}

Findings size_rule(const Source& source) {
  Findings found;
  if (lines_of(source) > most_lines) {
    found.push_back(finding(source, most_lines, "the file has " + std::to_string(lines_of(source)) + " lines"));
  }
  std::size_t at = 0;
  for (int line = 1; at < source.text.size(); ++line) {
    const std::size_t end = std::min(source.text.size(), source.text.find('\n', at));
    const int width = columns(std::string_view(source.text).substr(at, end - at));
    if (width > most_columns) found.push_back(finding(source, line, std::to_string(width) + " columns"));
    at = end + 1;
  }
  return found;
}

Findings overall_size_rule(const std::vector<Source>& sources) {
  Findings found;
  for (const Source& source : sources) {
    if (lines_of(source) > many_lines) {
      found.push_back(finding(source, many_lines, "is one of too many files above 300 lines"));
    }
  }
  if (found.size() * 20 <= sources.size()) found.clear();
  return found;
}

Findings word_rule(const Source& source) {
  Findings found;
  for (const BannedWord& banned : banned_words()) {
    if (allowed(source.path, banned.allowed)) continue;
    for (const std::size_t at : source.find_word(banned.word)) {
      const bool call_needed = banned.word == "system";  // std::system_error and a member named so are fine
      if (call_needed && !source.code.substr(at).starts_with("system(")) continue;
      found.push_back(finding(source, source.line_of(at), "'" + banned.word + "': " + banned.instead));
    }
  }
  check_directives(source, found);
  check_unfinished(source, found);
  return found;
}

Findings ownership_rule(const Source& source) {
  Findings found;
  for (const std::string word : {"new", "delete"}) {
    for (const std::size_t at : source.find_word(word)) {
      const std::string before = just_before(source, at);
      if (before.ends_with("operator") || before.ends_with("#include <") || owned_at_once(before)) continue;
      if (word == "delete" && before.ends_with('=')) continue;
      found.push_back(
          finding(source, source.line_of(at), "a naked '" + word + "'; let a unique_ptr or a container own it"));
    }
  }
  return found;
}

Findings name_rule(const Source& source) {
  static const std::vector<std::string> empty_words = {"Manager", "Handler", "Helper", "Util", "Utils", "Base", "Impl"};
  Findings found;
  for (const std::string keyword : {"class", "struct"}) {
    for (const std::size_t at : source.find_word(keyword)) {
      std::string name = trimmed(std::string_view(source.code).substr(at + keyword.size(), 80));
      name = name.substr(
          0, static_cast<std::size_t>(std::find_if_not(name.begin(), name.end(), is_word_character) - name.begin()));
      // The helper process and systemd's service manager are called so; tests play the helper.
      if (name == "Helper" || name == "ServiceManager" || (source.is_test() && name.ends_with("Helper"))) continue;
      const bool empty = std::any_of(empty_words.begin(), empty_words.end(),
                                     [&](const std::string& word) { return name.ends_with(word); });
      if (empty) found.push_back(finding(source, source.line_of(at), "'" + name + "' does not say what it is"));
    }
  }
  return found;
}

}  // namespace vitald::tidy
