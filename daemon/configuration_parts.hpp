// How load_configuration is put together: one function for each part of the file. Each reads and describes alike, so
// the schema and the documentation are made by the same code that parses.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alerting/notifiers/notifier.hpp"
#include "config/reader.hpp"
#include "daemon/configuration.hpp"
#include "daemon/configuration_kinds.hpp"
#include "probes/probe.hpp"

namespace vitald::daemon {

/// The kinds that this build knows; tests bring their own.
struct Tables {
  std::span<const probes::ProbeKind> probes;
  std::span<const alerting::NotifierKind> notifiers;
};

/// What the configuration takes from the host where the file says nothing.
struct Surroundings {
  std::string host_name;
  bool container = false;  // then the host's name is a random id, and `instance` is required
};
Surroundings surroundings_of_this_host();

/// The core of load_configuration.
LoadedConfiguration load_configuration(const std::filesystem::path& file, Secrets secrets, const Tables& tables,
                                       const Surroundings& surroundings);
std::string configuration_schema(const Tables& tables);

/// What `defaults:` may say and every check may say again.
struct Common {
  Duration every = std::chrono::seconds(30);
  Duration timeout = std::chrono::seconds(5);
  alerting::Confirmation confirm = Confirm::calm();
  alerting::Recovery recover;
  Severities severity;
  Labels labels;
  std::vector<std::string> group_by = {"target"};
  bool timeout_is_ours = true;  // no user wrote it, neither here nor in `defaults:`
  bool confirm_is_ours = true;
};
Common read_common(config::Reader& in, const Common& fallback);
/// CheckRules::group of a check that talks to `target`: "" where it is grouped by nothing, or lacks one of the labels.
std::string group_of(const std::vector<std::string>& group_by, const std::string& target, const Labels& labels);

/// A check on its way: its plan, its rules, and the secrets that its probe asked for.
struct CheckDraft {
  CheckPlan plan;
  alerting::CheckRules rules;
  std::vector<config::FoundSecret> secrets;
  config::Position at;           // of its name
  alerting::Matcher needs = {};  // `depends_on`, until all checks are known
  std::vector<std::string> group_by = {};
  std::optional<bool> remote = {};  // what the user says of it
};
std::vector<CheckDraft> read_checks(const config::Node& checks, const Common& defaults, const Tables& tables,
                                    config::Problems& problems);
/// Fills in the names of the checks behind every `depends_on`: those that were written, then those that a `*` or labels
/// mean.
void resolve_dependencies(std::vector<CheckDraft>& drafts, config::Problems& problems);
/// Every name behind `depends_on` is that of another check, and no chain of them leads back to where it began.
void judge_dependencies(const std::vector<CheckDraft>& drafts, config::Problems& problems);
/// Says of each check whether its target is reached over the network, and whether it is near. The name of the uplink
/// check, or "".
std::string judge_network(std::vector<CheckDraft>& drafts, const std::string& host_name, config::Problems& problems);
/// Two checks with one fingerprint do the same: everything that was written, and every default that applies to it.
std::string fingerprint_of(const config::Node& node, const CheckDraft& draft);
std::vector<config::Option> check_options();
std::vector<config::Option> kind_options(const probes::ProbeKind& kind);
std::string checks_schema(const Tables& tables);

struct ReceiverDraft {
  ReceiverPlan plan;
  std::vector<config::FoundSecret> secrets;
  config::Position at;
};
std::vector<ReceiverDraft> read_receivers(const config::Node* receivers, const Tables& tables,
                                          config::Problems& problems);
std::vector<config::Option> receiver_options();
std::vector<config::Option> kind_options(const alerting::NotifierKind& kind);
std::string receivers_schema(const Tables& tables);

/// `hours:`, by name.
using NamedHours = std::map<std::string, Hours, std::less<>>;
NamedHours read_hours(const config::Node* hours, config::Problems& problems);
std::vector<config::Option> hours_options();
std::string hours_schema();

/// `maintenance:` and `routes:` as they stand in the file, until all checks are known.
struct MaintenanceDraft {
  alerting::Maintenance rule;
  config::Position at;  // of `checks`
};
MaintenanceDraft read_maintenance(config::Reader& in);
std::vector<config::Option> maintenance_options();
struct RouteDraft {
  alerting::Matcher checks;
  const config::Node* escalations = nullptr;
  config::Position at;  // of `checks`
};
RouteDraft read_route(config::Reader& in);

/// What the severities of the checks and the names of the receivers have to fit.
struct EscalationNeeds {
  std::vector<std::string> receivers;
  bool from_file = false;  // the receivers stand in the file, so every severity in use has to reach one
  std::span<const CheckDraft> checks;
  config::Position at;  // to point at where escalations are missing
  const NamedHours& hours;
  std::span<const alerting::Route> routes = {};  // those that cover something as well
};
/// The steps of one severity.
alerting::Escalation read_steps(const config::Node& steps, const std::string& severity, const EscalationNeeds& needs,
                                config::Problems& problems);
std::vector<alerting::Route> read_routes(const std::vector<RouteDraft>& drafts, const EscalationNeeds& needs,
                                         config::Problems& problems);
/// Every check that a window names has to be there, no two windows have one name.
std::vector<alerting::Maintenance> judge_maintenance(std::vector<MaintenanceDraft> drafts,
                                                     const std::vector<CheckDraft>& checks, config::Problems& problems);
std::array<alerting::Escalation, 4> read_escalations(const config::Node* escalations, const EscalationNeeds& needs,
                                                     config::Problems& problems);
std::vector<config::Option> escalation_options();
std::string escalations_schema();

/// A short text that differs when `text` does (SHA-256, cut to 128 bits, in hex).
std::string digest(const std::string& text);

/// The top level of the file.
struct Top {
  std::optional<std::string> instance;
  ListenPlan listen;
  std::string state, runtime;
  LogPlan log;
  Common defaults;
  Duration unknown_after{};
  const config::Node* checks = nullptr;
  const config::Node* receivers = nullptr;
  const config::Node* escalations = nullptr;
  const config::Node* hours = nullptr;
  std::vector<RouteDraft> routes = {};
  std::vector<MaintenanceDraft> maintenance = {};
};
Top read_top(config::Reader& in, const Tables& tables);

}  // namespace vitald::daemon
