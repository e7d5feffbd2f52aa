#include "probes/group_memory.hpp"

#include <algorithm>
#include <sstream>

#include "probes/numbers.hpp"

namespace vitald::probes {
namespace {

// A run may leave 60 KiB. What does not fit counts as seen for the first time, again and again.
constexpr std::size_t most_entries = 300;
constexpr std::size_t most_name = 80;
constexpr std::size_t most_state = 40;

/// A key holds no blank, and no more than this of a name.
std::string key_of(std::string_view kind, std::string_view name) {
  std::string key(kind);
  for (const char letter : name.substr(0, most_name)) key += static_cast<unsigned char>(letter) <= ' ' ? '_' : letter;
  return key;
}

double seconds_of(Wall at) { return std::chrono::duration<double>(at - Wall{}).count(); }

}  // namespace

void GroupMemory::keep(const std::string& key, std::string_view value) {
  if (after_.all().size() < most_entries) after_.set(key, value);
}

GroupMemory::Member GroupMemory::note(std::string_view name, std::string_view state, double generation) {
  const std::string key = key_of("member:", name);
  const std::string as_kept(state.substr(0, most_state));
  Member found;
  double since = seconds_of(now_);
  if (const auto text = before_.text(key)) {
    std::istringstream words(*text);
    double last = 0, then = 0;
    std::string word;
    if (words >> last >> then && std::getline(words >> std::ws, word)) {
      found.generation = last;
      if (last == generation && word == as_kept) since = std::min(since, then);
    }
  }
  found.lasts = length_of(seconds_of(now_) - since);
  std::ostringstream text;
  text.precision(17);
  text << generation << ' ' << since << ' ' << as_kept;
  keep(key, text.str());
  return found;
}

double GroupMemory::count(std::string_view group, double first, double added) {
  const std::string key = key_of("restarts:", group);
  const auto before = before_.number(key);
  const double total = before ? *before + added : first;
  if (after_.all().size() < most_entries) after_.set(key, total);
  return total;
}

}  // namespace vitald::probes
