#include "daemon/configuration_matcher.hpp"

#include <algorithm>

#include "config/shown.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {
namespace {

using config::Node;
using config::Problems;
using config::shown;

constexpr std::size_t most_names = 50;

bool is_glob(std::string_view name) { return name.find('*') != std::string_view::npos; }

/// The name of a check, or one with `*` in it.
struct CheckName {
  using value_type = std::string;
  std::string type_name() const { return "name"; }
  std::string schema() const { return R"({"type":"string","pattern":"^[A-Za-z0-9._*{}-]+$"})"; }
  Result<std::string> read(const Node& node, Problems& problems) const {
    auto name = config::Text{}.read(node, problems);
    if (!name) return name;
    std::string plain = *name;
    std::replace(plain.begin(), plain.end(), '*', 'x');
    if (auto wrong = objection_to_name(plain); !wrong.empty())
      return Failure{"", "expected the name of a check, or one with '*' in it" + config::but_found(*name)};
    return name;
  }
  std::string dummy() const { return ""; }
  std::string show(const std::string& name) const { return name; }
};

constexpr auto names = [] { return config::ListOf<CheckName>{.kind = {}, .single = true, .most = most_names}; };

}  // namespace

std::string CheckMatcher::schema() const {
  return R"({"anyOf":[)" + CheckName{}.schema() + R"(,{"type":"array","items":)" + CheckName{}.schema() + "}," +
         UserLabels{}.schema() + "]}";
}

Result<alerting::Matcher> CheckMatcher::read(const Node& node, Problems& problems) const {
  alerting::Matcher matcher;
  if (node.kind == Node::Kind::mapping) {
    auto labels = UserLabels{}.read(node, problems);
    if (!labels) return labels.failure();
    matcher.labels = std::move(*labels);
    if (matcher.empty()) return Failure{"", "expected labels such as { team: web }, found none"};
    return matcher;
  }
  auto read = names().read(node, problems);
  if (!read) return read.failure();
  matcher.names = std::move(*read);
  return matcher;
}

std::vector<MatcherFault> judge_matcher(const alerting::Matcher& matcher, std::span<const CheckDraft> checks,
                                        bool own) {
  std::vector<MatcherFault> faults;
  std::vector<std::string> known;
  for (const CheckDraft& draft : checks) known.push_back(draft.rules.name);
  if (own) known.emplace_back("vitald");
  for (const std::string& name : matcher.names) {
    const auto fits = [&](const std::string& check) { return alerting::Matcher{{name}, {}}.fits(check, {}); };
    if (std::any_of(known.begin(), known.end(), fits)) continue;
    const std::string near = is_glob(name) ? "" : config::suggestion(name, known);
    faults.push_back({is_glob(name) ? "no check has a name like '" + shown(name) + "'"
                                    : "there is no check '" + shown(name) + "'" +
                                          (near.empty() ? "" : "; did you mean '" + near + "'?"),
                      !is_glob(name)});
  }
  if (!matcher.labels.empty() && std::none_of(checks.begin(), checks.end(), [&](const CheckDraft& draft) {
        return matcher.fits(draft.rules.name, draft.rules.labels);
      })) {
    faults.push_back({"no check has the labels " + shown(matcher.text()), false});
  }
  return faults;
}

}  // namespace vitald::daemon
