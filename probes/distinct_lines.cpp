#include "probes/distinct_lines.hpp"

#include <algorithm>
#include <tuple>

#include "config/fnv1a.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_kinds = 12;
constexpr std::size_t most_masked = 400;   // bytes of a line that tell its kind
constexpr std::size_t most_example = 200;  // bytes
constexpr std::string_view key_prefix = "line.";

bool is_digit(char each) { return each >= '0' && each <= '9'; }
bool is_of_word(char each) { return is_digit(each) || (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z'); }

std::int64_t seconds(Wall at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

}  // namespace

std::string masked(std::string_view line) {
  line = line.substr(0, most_masked);
  std::string kind;
  while (!line.empty()) {
    const auto end = std::find_if_not(line.begin(), line.end(), is_of_word);
    const auto word = line.substr(0, static_cast<std::size_t>(end - line.begin()));
    if (word.empty()) {
      kind += line.front();
      line.remove_prefix(1);
    } else {
      kind += std::any_of(word.begin(), word.end(), is_digit) ? "#" : word;
      line.remove_prefix(word.size());
    }
  }
  return kind;
}

DistinctLines::DistinctLines(const Remembered& memory, Wall now) : now_(now) {
  for (std::size_t i = 0; i < most_kinds; ++i) {
    const std::string key = std::string(key_prefix) + std::to_string(i);
    const auto count = memory.number(key + ".count"), last = memory.number(key + ".last");
    const auto example = memory.text(key);
    if (!count || !last || !example || *count < 1 || *count > 1e15) continue;
    const Wall at{length_of(*last)};
    if (now_ - at > kept_for) continue;
    kinds_.push_back({fnv1a(masked(*example)), std::min(at, now_), static_cast<std::uint64_t>(*count), *example});
  }
}

void DistinctLines::add(std::string_view line) {
  const std::string example = foreign_text(line, most_example);
  // Of the example, since that is what is remembered.
  const std::uint64_t key = fnv1a(masked(example));
  auto found = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& kind) { return kind.key == key; });
  if (found == kinds_.end()) {
    if (kinds_.size() == most_kinds) {
      kinds_.erase(std::min_element(kinds_.begin(), kinds_.end(), [](const Kind& a, const Kind& b) {
        return std::tie(a.last, a.count) < std::tie(b.last, b.count);
      }));
    }
    found = kinds_.insert(kinds_.end(), {.key = key, .last = now_, .example = {}});
  }
  found->count += 1;
  found->last = now_;
  found->example = example;
}

void DistinctLines::write(Remembered& memory) const {
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const std::string key = std::string(key_prefix) + std::to_string(i);
    memory.set(key, kinds_[i].example);
    memory.set(key + ".count", static_cast<double>(kinds_[i].count));
    memory.set(key + ".last", static_cast<double>(seconds(kinds_[i].last)));
  }
}

std::vector<Evidence> DistinctLines::evidence(std::size_t most) const {
  std::vector<Kind> sorted = kinds_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Kind& a, const Kind& b) { return a.count > b.count; });
  std::vector<Evidence> shown;
  for (const Kind& kind : sorted) {
    if (shown.size() == most) break;
    shown.push_back({say_count(static_cast<std::int64_t>(kind.count), "time"), kind.example});
  }
  return shown;
}

}  // namespace vitald::probes
