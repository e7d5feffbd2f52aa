// `depends_on:` of all checks, looked at together.
#include <algorithm>
#include <map>
#include <set>

#include "config/shown.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {

std::string group_of(const std::vector<std::string>& group_by, const std::string& target, const Labels& labels) {
  std::string group;
  for (const std::string& word : group_by) {
    std::string value;
    if (word == "target") {
      value = target;
    } else if (word == "host") {
      // "[::1]:443", "db.example.com:3306"; what has no port is no host of a network.
      const std::size_t colon = target.rfind(':');
      value = colon == std::string::npos ? "" : target.substr(0, colon);
    } else {
      for (const auto& [name, text] : labels) {
        if (name == word) value = text;
      }
    }
    if (value.empty()) return "";
    group += word + "=" + value + "\n";
  }
  return group;
}

namespace {

using config::shown;

constexpr std::size_t most_resolved = 200;

bool is_name(const std::string& text) { return text.find('*') == std::string::npos; }

/// Whether it says more than names: then somebody has to look what it means.
bool is_pattern(const alerting::Matcher& needs) {
  return !needs.labels.empty() || !std::all_of(needs.names.begin(), needs.names.end(), is_name);
}

std::vector<std::string> fitting(const alerting::Matcher& needs, const std::vector<CheckDraft>& drafts) {
  std::vector<std::string> names;
  for (const CheckDraft& draft : drafts) {
    if (needs.fits(draft.rules.name, draft.rules.labels)) names.push_back(draft.rules.name);
  }
  return names;
}

/// Walks along `depends_on`, depth first and without recursion: a chain may be as long as there are checks.
class Walk {
 public:
  Walk(const std::vector<CheckDraft>& drafts, config::Problems& problems) : drafts_(drafts), problems_(problems) {
    for (std::size_t i = 0; i < drafts.size(); ++i) by_name_.emplace(drafts[i].rules.name, i);
    states_.assign(drafts.size(), State::fresh);
  }

  void names() {
    std::vector<std::string> all;
    for (const CheckDraft& draft : drafts_) all.push_back(draft.rules.name);
    for (const CheckDraft& draft : drafts_) {
      for (const std::string& name : draft.rules.depends_on) {
        if (by_name_.contains(name)) continue;
        const std::string near = config::suggestion(name, all);
        problems_.error(draft.at, "'depends_on': there is no check '" + shown(name) + "'" +
                                      (near.empty() ? "" : "; did you mean '" + near + "'?"));
      }
    }
  }

  void circles() {
    for (std::size_t start = 0; start < drafts_.size(); ++start) {
      if (states_[start] == State::fresh) walk_from(start);
    }
  }

 private:
  enum class State { fresh, on_the_way, done };
  struct Step {
    std::size_t check, next;  // next: which of its dependencies is looked at next
  };

  void walk_from(std::size_t start) {
    std::vector<Step> way{{start, 0}};
    states_[start] = State::on_the_way;
    while (!way.empty()) {
      Step& step = way.back();
      const auto& names = drafts_[step.check].rules.depends_on;
      if (step.next == names.size()) {
        states_[step.check] = State::done;
        way.pop_back();
        continue;
      }
      const auto found = by_name_.find(names[step.next++]);
      if (found == by_name_.end()) continue;
      if (states_[found->second] == State::on_the_way) tell(way, found->second);
      if (states_[found->second] != State::fresh) continue;
      states_[found->second] = State::on_the_way;
      way.push_back({found->second, 0});
    }
  }

  void tell(const std::vector<Step>& way, std::size_t again) {
    std::string names;
    bool inside = false;
    for (const Step& step : way) {
      inside = inside || step.check == again;
      if (inside) names += "'" + shown(drafts_[step.check].rules.name) + "' needs ";
    }
    problems_.error(drafts_[again].at,
                    "'depends_on' leads in a circle: " + names + "'" + shown(drafts_[again].rules.name) + "'");
  }

  const std::vector<CheckDraft>& drafts_;
  config::Problems& problems_;
  std::map<std::string_view, std::size_t> by_name_;
  std::vector<State> states_;
};

}  // namespace

void resolve_dependencies(std::vector<CheckDraft>& drafts, config::Problems& problems) {
  std::map<std::string, std::vector<std::string>> known;  // thousands of checks may say the same
  for (CheckDraft& draft : drafts) {
    auto& names = draft.rules.depends_on;
    std::copy_if(draft.needs.names.begin(), draft.needs.names.end(), std::back_inserter(names), is_name);
    if (!is_pattern(draft.needs)) continue;
    const std::string text = draft.needs.text();
    const auto found = known.try_emplace(text).first;
    if (found->second.empty()) found->second = fitting(draft.needs, drafts);
    const std::set<std::string> written(names.begin(), names.end());
    for (const std::string& name : found->second) {
      if (name != draft.rules.name && !written.contains(name)) names.push_back(name);
    }
    if (names.empty()) problems.error(draft.at, "'depends_on': no other check fits " + shown(text));
    if (names.size() > most_resolved)
      problems.error(draft.at, "'depends_on': " + shown(text) + " fits more than 200 checks");
  }
}

void judge_dependencies(const std::vector<CheckDraft>& drafts, config::Problems& problems) {
  Walk walk(drafts, problems);
  walk.names();
  walk.circles();
}

}  // namespace vitald::daemon
