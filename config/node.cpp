#include "config/node.hpp"

#include <algorithm>
#include <tuple>

namespace vitald::config {
namespace {

constexpr std::size_t most_of_a_sort = 200;

std::string_view file_of(const Position& at) { return at.file ? std::string_view(*at.file) : std::string_view(); }

auto order(const Position& at) { return std::tuple(file_of(at), at.line, at.column); }

}  // namespace

std::string Position::text() const {
  std::string shown(file_of(*this));
  if (line > 0) shown += ":" + std::to_string(line) + ":" + std::to_string(column);
  return shown;
}

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view Node::kind_name() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return "text";
    case Kind::sequence:
      return "a list";
    case Kind::mapping:
      return "a mapping";
  }
  return "nothing";
}

std::string Problem::text() const {
  const std::string place = at.text();
  return (place.empty() ? "" : place + ": ") + (warning ? "warning: " : "error: ") + what;
}

void Problems::error(Position at, std::string what) { add({std::move(at), std::move(what), false}, errors_); }

void Problems::warn(Position at, std::string what) { add({std::move(at), std::move(what), true}, warnings_); }

bool Problems::any_error() const { return errors_ > 0; }

void Problems::add(Problem problem, std::size_t& count) {
  // An alias or a for_each shows the same text several times; people need to hear of it once.
  const auto same = [&](const Problem& known) {
    return known.warning == problem.warning && known.what == problem.what && order(known.at) == order(problem.at);
  };
  if (count > most_of_a_sort || std::any_of(all_.begin(), all_.end(), same)) return;
  ++count;
  if (count > most_of_a_sort) {
    problem.at = {};
    problem.what = "there are more of them; the first 200 are shown";
  }
  all_.push_back(std::move(problem));
}

void Problems::append(const Problems& others) {
  for (const Problem& problem : others.all_) add(problem, problem.warning ? warnings_ : errors_);
}

void Problems::sort() {
  std::stable_sort(all_.begin(), all_.end(), [](const Problem& a, const Problem& b) {
    const bool a_placed = a.at.file != nullptr;
    const bool b_placed = b.at.file != nullptr;
    return a_placed != b_placed ? a_placed : order(a.at) < order(b.at);
  });
}

std::string render_problems(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems.all()) text += problem.text() + "\n";
  return text;
}

}  // namespace vitald::config
