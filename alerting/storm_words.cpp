// What a storm's message says: what is wrong how often, and with what, in as few words as that takes.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "alerting/limit_words.hpp"
#include "alerting/storm.hpp"

namespace vitald::alerting {
namespace {

constexpr std::size_t named_max = 50;
constexpr std::size_t groups_in_summary = 3;
constexpr std::size_t groups_max = 8;
constexpr std::size_t words_max = 80;

struct Alike {
  Severity severity;
  std::string summary;
  std::vector<std::string> checks;
};

/// "connect to 10.0.0.7:80: connection refused" and the same of another address are one kind of failure.
std::string kind_of(const std::string& summary) {
  const std::size_t colon = summary.rfind(": ");
  return colon == std::string::npos ? summary : summary.substr(colon + 2);
}

/// With equal words, and of equal urgency where that is asked for; the most urgent first, then the largest.
std::vector<Alike> grouped(const std::vector<Trouble>& troubles, bool by_severity) {
  std::vector<Alike> groups;
  std::map<std::pair<Severity, std::string>, std::size_t> places;
  for (const Trouble& trouble : troubles) {
    const std::string kind = kind_of(trouble.summary);
    const Severity apart = by_severity ? trouble.severity : Severity::p0;
    const auto [place, fresh] = places.try_emplace({apart, kind}, groups.size());
    if (fresh) {
      groups.push_back({trouble.severity, trouble.summary, {}});
    } else {
      Alike& group = groups[place->second];
      group.summary = kind;
      group.severity = std::min(group.severity, trouble.severity);
    }
    groups[place->second].checks.push_back(trouble.check);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Alike& a, const Alike& b) {
    return a.severity != b.severity ? a.severity < b.severity : a.checks.size() > b.checks.size();
  });
  return groups;
}

std::string counted(std::size_t count, const std::string& what) {
  return (count > 1 ? std::to_string(count) + " x " : "") + bounded(what, words_max);
}

std::string names(const std::vector<std::string>& all, std::size_t& room) {
  std::string text;
  const std::size_t shown = std::min(room, all.size());
  room -= shown;
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + all[i];
  if (shown == 0) return "not named here";
  return shown == all.size() ? text : text + " and " + std::to_string(all.size() - shown) + " more";
}

/// One piece for each kind of failure and urgency, as many as there is room for.
std::vector<Evidence> listed(const std::vector<Trouble>& troubles) {
  std::vector<Evidence> evidence;
  std::vector<Alike> groups = grouped(troubles, true);
  std::size_t room = named_max;
  std::size_t rest = troubles.size();
  for (std::size_t i = 0; i < std::min(groups.size(), groups_max); ++i) {
    const Alike& group = groups[i];
    rest -= group.checks.size();
    const std::string severity = std::string(to_string(group.severity)) + " ";
    if (group.checks.size() == 1 && room > 0) {
      --room;
      evidence.push_back({group.checks.front(), severity + group.summary});
    } else {
      evidence.push_back({severity + counted(group.checks.size(), group.summary), names(group.checks, room)});
    }
  }
  if (rest == 0) return evidence;
  std::vector<std::string> others;
  for (std::size_t i = groups_max; i < groups.size(); ++i) {
    for (std::string& name : groups[i].checks) others.push_back(std::move(name));
  }
  evidence.push_back({std::to_string(rest) + " of other kinds", names(others, room)});
  return evidence;
}

/// "12 x connection refused, blog 502 Bad Gateway, 3 other": whatever their urgency.
std::string summed_up(const std::vector<Trouble>& troubles) {
  const std::vector<Alike> groups = grouped(troubles, false);
  if (groups.size() == 1 && troubles.size() > 1) return bounded(groups.front().summary, words_max);
  std::string text;
  std::size_t unsaid = troubles.size();
  for (std::size_t i = 0; i < std::min(groups.size(), groups_in_summary); ++i) {
    const Alike& group = groups[i];
    unsaid -= group.checks.size();
    // What cannot be measured says itself of which check it is.
    const bool named = group.checks.size() == 1 && group.checks.front() != "vitald";
    text += (i == 0 ? "" : ", ") + (named ? group.checks.front() + " " : std::string()) +
            counted(group.checks.size(), group.summary);
  }
  return unsaid > 0 ? text + ", " + std::to_string(unsaid) + " other" : text;
}

}  // namespace

StormWords describe(const std::vector<Trouble>& troubles) {
  return {.summary = summed_up(troubles), .evidence = listed(troubles)};
}

}  // namespace vitald::alerting
