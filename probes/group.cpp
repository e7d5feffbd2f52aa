#include "probes/group.hpp"

#include <algorithm>

namespace vitald::probes {
namespace {

constexpr std::size_t most_named = 3;

/// Those that are the same are said once.
std::string list(const std::vector<Group::Member>& members) {
  std::vector<std::string> texts;
  for (const Group::Member& member : members) {
    std::string text = member.name + " is " + member.state;
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  std::string all;
  for (std::size_t i = 0; i < std::min(texts.size(), most_named); ++i) all += (i > 0 ? ", " : "") + texts[i];
  if (texts.size() > most_named) all += " and " + std::to_string(texts.size() - most_named) + " more";
  return all;
}

}  // namespace

std::string say_down(const Group& group) {
  if (group.size <= 1) return list(group.down);
  const std::string size = std::to_string(group.size);
  if (group.all_down()) return "none of the " + size + " of " + group.name + " is running: " + list(group.down);
  return list(group.down) + "; " + std::to_string(group.size - group.down.size()) + " of " + size + " running";
}

Sample not_running(const Group& group, const Labels& labels) {
  return {.name = std::string(not_running_row.name),
          .value = static_cast<double>(group.down.size()),
          .labels = labels,
          .says = group.down.empty() ? "" : say_down(group)};
}

}  // namespace vitald::probes
