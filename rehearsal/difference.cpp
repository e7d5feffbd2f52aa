#include "rehearsal/difference.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rehearsal/scenario_words.hpp"

namespace vitald::rehearsal {
namespace {

constexpr std::size_t context = 3;
constexpr std::size_t cells_max = 4'000'000;  // of the table below; longer texts are told as replaced whole

struct Line {
  char mark;  // ' ', '-' or '+'
  const std::string* text;
};

using Lines = std::vector<std::string>;

/// The longest lines in common, by the usual table: row and column hold how many are in common from there on.
std::vector<Line> compare(const Lines& wanted, const Lines& got) {
  const std::size_t columns = got.size() + 1;
  std::vector<std::uint32_t> common((wanted.size() + 1) * columns, 0);
  for (std::size_t i = wanted.size(); i-- > 0;) {
    for (std::size_t j = got.size(); j-- > 0;) {
      common[i * columns + j] = wanted[i] == got[j]
                                    ? common[(i + 1) * columns + j + 1] + 1
                                    : std::max(common[(i + 1) * columns + j], common[i * columns + j + 1]);
    }
  }
  std::vector<Line> lines;
  std::size_t i = 0, j = 0;
  while (i < wanted.size() && j < got.size()) {
    if (wanted[i] == got[j]) {
      lines.push_back({' ', &wanted[i++]});
      ++j;
    } else if (common[(i + 1) * columns + j] >= common[i * columns + j + 1]) {
      lines.push_back({'-', &wanted[i++]});
    } else {
      lines.push_back({'+', &got[j++]});
    }
  }
  for (; i < wanted.size(); ++i) lines.push_back({'-', &wanted[i]});
  for (; j < got.size(); ++j) lines.push_back({'+', &got[j]});
  return lines;
}

std::vector<Line> replaced(const Lines& wanted, const Lines& got) {
  std::vector<Line> lines;
  for (const std::string& line : wanted) lines.push_back({'-', &line});
  for (const std::string& line : got) lines.push_back({'+', &line});
  return lines;
}

}  // namespace

std::string difference(const std::string& wanted, const std::string& got) {
  if (wanted == got) return "";
  const Lines before = split(wanted, '\n');
  const Lines after = split(got, '\n');
  const bool small = (before.size() + 1) <= cells_max / (after.size() + 1);
  const std::vector<Line> lines = small ? compare(before, after) : replaced(before, after);
  std::vector<bool> shown(lines.size(), false);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (lines[at].mark == ' ') continue;
    const std::size_t last = std::min(at + context, lines.size() - 1);
    for (std::size_t near = at - std::min(at, context); near <= last; ++near) shown[near] = true;
  }
  std::string text;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (!shown[at]) continue;
    if (at > 0 && !shown[at - 1] && !text.empty()) text += "  ...\n";
    text += std::string(1, lines[at].mark) + " " + *lines[at].text + "\n";
  }
  return text;
}

}  // namespace vitald::rehearsal
