// The whole configuration, read and checked: what `run` runs, what `check-config` judges. Both call load_configuration,
// so they cannot disagree.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alerting/deliver.hpp"
#include "alerting/notifiers/notifier.hpp"
#include "alerting/rules.hpp"
#include "config/node.hpp"
#include "probes/probe.hpp"

namespace vitald::daemon {

/// One check as the scheduler and the runner need it; the engine's half of it is in Rules::checks at the same index.
struct CheckPlan {
  std::string name;
  const probes::ProbeKind* kind = nullptr;
  std::shared_ptr<const probes::Probe> probe;
  Duration every = std::chrono::seconds(30);
  Duration timeout = std::chrono::seconds(5);
  Labels labels;
  std::string fingerprint;  // equal text, equal check: a reload that leaves it alone keeps its phase and its run
};

struct ReceiverPlan {
  std::string name;
  const alerting::NotifierKind* kind = nullptr;
  std::shared_ptr<const alerting::Notifier> notifier;
  alerting::RetryPolicy policy;
};

struct ListenPlan {
  std::string host = "127.0.0.1";  // numeric
  std::uint16_t port = 9642;
  std::vector<std::string> host_names;  // further values allowed in the Host header
};

struct LogPlan {
  std::string level = "info";
  std::string file;  // "": standard error only
};

struct Configuration {
  std::filesystem::path file;
  std::string instance;
  ListenPlan listen;
  std::filesystem::path state = "/var/lib/vitald";
  std::filesystem::path runtime = "/run/vitald";  // control.sock, owed
  LogPlan log;
  std::vector<CheckPlan> checks;
  std::vector<ReceiverPlan> receivers;  // never empty: `console` where the file names none
  std::shared_ptr<const alerting::Rules> rules;
  std::shared_ptr<const std::string> outline;  // packed (outline.hpp)
};

enum class Secrets { load, leave };  // only the service may be able to read them

struct LoadedConfiguration {
  std::optional<Configuration> configuration;  // nothing when problems hold an error
  config::Problems problems;
};

/// Blocking: reads files. Never throws.
LoadedConfiguration load_configuration(const std::filesystem::path& file, Secrets secrets);

/// The JSON Schema of the whole file, generated from the readers of this build (config/vitald.schema.json).
std::string configuration_schema();

}  // namespace vitald::daemon
