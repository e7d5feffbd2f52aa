// `depends_on:` of all checks, looked at together.
#include <map>

#include "config/shown.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {
namespace {

using config::shown;

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

void judge_dependencies(const std::vector<CheckDraft>& drafts, config::Problems& problems) {
  Walk walk(drafts, problems);
  walk.names();
  walk.circles();
}

}  // namespace vitald::daemon
