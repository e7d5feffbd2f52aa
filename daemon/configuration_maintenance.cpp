// `hours:`, `maintenance:` and `routes:`: what goes by the calendar, and for which checks.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "config/calendar_kinds.hpp"
#include "config/schema.hpp"
#include "config/shown.hpp"
#include "daemon/configuration_matcher.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {
namespace {

using config::Length;
using config::Node;
using config::Problems;
using config::Reader;
using config::Text;
using nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr std::array severities = {Severity::p0, Severity::p1, Severity::p2, Severity::p3};
constexpr std::size_t most_windows = 100;
constexpr std::size_t most_routes = 100;

TimeZone zone_of(Reader& in) {
  const auto zone =
      in.maybe("timezone", config::ZoneName{}, "Where those times hold; left out: the host's, as for cron");
  if (zone) return *zone;
  const auto host = TimeZone::of_host();
  if (!host && !in.describes()) in.warn("", "the host's time zone is not known, so the times count as UTC");
  return host ? *host : TimeZone{};
}

/// Of a failure of one of several options together.
template <class T>
T made(Reader& in, std::string_view key, Result<T> result) {
  if (result) return std::move(*result);
  if (!in.describes()) in.problem(key, result.failure().what);
  return {};
}

Hours parse_hours(Reader& in) {
  const std::string days = in.optional("days", Text{100}, "*", "Days on which they begin: mon-fri, or sat,sun");
  const std::string from = in.required("from", Text{5}, "Time of day at which they begin: \"09:00\"");
  const std::string to = in.required("to", Text{5}, "When they end: \"18:00\"; of the day after where it is earlier");
  const TimeZone zone = zone_of(in);
  if (!in.has("from") || !in.has("to")) return {};
  return made(in, "from", Hours::parse(days, from, to, zone));
}

void tell(const std::vector<MatcherFault>& faults, const config::Position& at, const std::string& where,
          Problems& problems) {
  for (const MatcherFault& fault : faults) {
    const std::string what = where + ": " + fault.what;
    if (fault.error) {
      problems.error(at, what);
    } else {
      problems.warn(at, what);
    }
  }
}

}  // namespace

NamedHours read_hours(const Node* hours, Problems& problems) {
  NamedHours all;
  if (hours == nullptr || hours->kind == Node::Kind::null) return all;
  if (hours->kind != Node::Kind::mapping) {
    problems.error(hours->at, "'hours': expected a mapping of name to hours, found " + std::string(hours->kind_name()));
    return all;
  }
  for (const auto& [name, at, node] : hours->members) {
    if (auto wrong = objection_to_name(name); !wrong.empty()) problems.error(at, std::move(wrong));
    Reader in(node, "hours " + config::shown(name), problems);
    all[name] = parse_hours(in);
    in.finish();
  }
  return all;
}

std::vector<config::Option> hours_options() {
  Reader in = Reader::describing();
  parse_hours(in);
  return in.options();
}

std::string hours_schema() {
  return ordered_json{{"type", {"object", "null"}},
                      {"additionalProperties", ordered_json::parse(config::object_schema(hours_options()))}}
      .dump();
}

MaintenanceDraft read_maintenance(Reader& in) {
  MaintenanceDraft draft;
  draft.rule.name = in.required("name", Text{100}, "What people call it");
  draft.rule.checks = in.required("checks", CheckMatcher{}, "Which checks: names, also with '*', or labels");
  const auto cron = in.maybe("cron", config::CronText{}, "When it begins: \"0 2 * * 0\"");
  const auto days = in.maybe("days", Text{100}, "Or the days on which it begins: sun, or mon-fri");
  const auto from = in.maybe("from", Text{5}, "With 'days': the time of day: \"02:00\"");
  draft.rule.when.length = in.required("for", Length{1min, 24h * 31}, "How long it lasts, in elapsed time");
  draft.rule.when.zone = zone_of(in);
  draft.at = in.position("checks");
  if (in.describes()) return draft;
  if (in.has("cron") == (in.has("days") || in.has("from"))) {
    in.problem("", "a window begins by 'cron', or by 'days' and 'from'");
  } else if (cron) {
    draft.rule.when.cron = *cron;
  } else if (!in.has("days") || !in.has("from")) {
    if (!in.has("cron")) in.problem("", "'days' and 'from' go together: days: sun, from: \"02:00\"");
  } else if (days && from) {
    draft.rule.when.cron = made(in, "days", weekly(*days, *from));
  }
  return draft;
}

std::vector<config::Option> maintenance_options() {
  Reader in = Reader::describing();
  read_maintenance(in);
  return in.options();
}

std::vector<alerting::Maintenance> judge_maintenance(std::vector<MaintenanceDraft> drafts,
                                                     const std::vector<CheckDraft>& checks, Problems& problems) {
  std::vector<alerting::Maintenance> windows;
  std::set<std::string> names;
  for (MaintenanceDraft& draft : drafts) {
    const std::string where = "maintenance '" + config::shown(draft.rule.name) + "'";
    if (!names.insert(draft.rule.name).second) problems.error(draft.at, where + ": there are two of this name");
    if (windows.size() == most_windows) problems.error(draft.at, "there are more than 100 maintenance windows");
    tell(judge_matcher(draft.rule.checks, checks, true), draft.at, where, problems);
    windows.push_back(std::move(draft.rule));
  }
  return windows;
}

RouteDraft read_route(Reader& in) {
  RouteDraft draft;
  draft.checks = in.required("checks", CheckMatcher{}, "Which checks: names, also with '*', or labels");
  draft.escalations =
      in.required("escalations", Raw{"mapping of P0 to P3 to steps", escalations_schema},
                  "Who is told of them, and when; severities that are left out are looked for further on");
  draft.at = in.position("checks");
  return draft;
}

std::vector<alerting::Route> read_routes(const std::vector<RouteDraft>& drafts, const EscalationNeeds& needs,
                                         Problems& problems) {
  std::vector<alerting::Route> routes;
  for (const RouteDraft& draft : drafts) {
    if (routes.size() == most_routes) problems.error(draft.at, "there are more than 100 routes");
    const std::string where = "route " + std::to_string(routes.size() + 1);
    alerting::Route route{draft.checks, {}};
    tell(judge_matcher(draft.checks, needs.checks, true), draft.at, where, problems);
    if (draft.escalations != nullptr && draft.escalations->kind == Node::Kind::mapping) {
      Reader in(*draft.escalations, "the escalations of " + where, problems);
      for (std::size_t i = 0; i < severities.size(); ++i) {
        const std::string word(to_string(severities[i]));
        const Node* steps = in.maybe(word, Raw{"list of steps", {}}, "Who is told of it").value_or(nullptr);
        if (steps != nullptr) route.escalations[i] = read_steps(*steps, word, needs, problems);
      }
      in.finish();
    } else if (draft.escalations != nullptr) {
      problems.error(draft.escalations->at, "'escalations': expected a mapping of P0 to P3, found " +
                                                std::string(draft.escalations->kind_name()));
    }
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace vitald::daemon
