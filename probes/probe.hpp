// A probe is three functions; this is the seam between them and the daemon.
//
//   Config               parse(config::Reader&)                  pure: options to values (problems stay in the Reader)
//   awaitable<Facts>     run(ProbeContext&, const Config&)       I/O, short: ask, and write down what came back
//   Observation          judge(const Config&, const Facts&)      pure: outcome, summary, samples; no thresholds
//
// Config also says `std::string target() const`: what it talks to, so that checks of one target share concurrency.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/clock.hpp"
#include "config/observation.hpp"
#include "config/reader.hpp"
#include "probes/failure.hpp"
#include "probes/net/network.hpp"

namespace vitald::probes {

template <class T>
using awaitable = boost::asio::awaitable<T>;

class Helper;
class PingTarget;
class Workers;

/// Where the host's own files are; tests point it at a folder of their making.
struct Host {
  std::string root;  // "" on a real host: root + "/proc/meminfo"

  /// A small kernel file (/proc, /sys), whole, at most 1 MiB. Throws ProbeFailure(unmeasured) with the reason
  /// "denied:PATH", "missing:PATH", "unreadable:PATH" or "too_large:PATH".
  std::string read(const std::string& path) const;
};

/// Everything that one run may touch. Lives as long as the run.
struct ProbeContext {
  net::Network& network;
  Workers& workers;
  Helper& helper;
  const Host& host;
  const Clock& clock;
  Now started;
  Steady deadline;            // the runner ends the run then; a probe never times itself
  std::string_view memory;    // what the last run's Observation::memory held, or ""
  net::PhaseLog phases;
  /// Since when this process has heard every ping without a break; nothing where it hears none.
  std::optional<Wall> listening_since = {};
};

/// One check's probe with its configuration: immutable, shared with the runs that are under way when a reload drops it.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual awaitable<Observation> run(ProbeContext& context) const = 0;
  virtual std::string target() const = 0;
  /// Where its pings go, for a kind that waits to be told; else nullptr.
  virtual const PingTarget* ping_target() const { return nullptr; }
};

/// One row of the table in registry.cpp.
struct ProbeKind {
  std::string_view name;                  // the word after `probe:`
  std::string_view title;                 // one line for the documentation
  std::span<const SampleSpec> samples;    // `duration` is every kind's and not listed
  std::string_view default_limits;        // as one would write `limits:`, applied to each sample that has none; or ""
  bool passive = false;                   // a re-probe would see nothing new
  std::unique_ptr<const Probe> (*make)(config::Reader&);
  std::string_view free_samples = "";     // the option (`query`) with which a limit may name samples of the user's own
};

/// Ties the three functions of a kind into a row.
template <auto Parse, auto Run, auto Judge>
std::unique_ptr<const Probe> make_probe(config::Reader& in) {
  using Config = decltype(Parse(in));
  struct Bound final : Probe {
    explicit Bound(Config given) : config(std::move(given)) {}
    awaitable<Observation> run(ProbeContext& context) const override {
      auto facts = co_await Run(context, config);
      co_return Judge(config, facts);
    }
    std::string target() const override { return config.target(); }
    Config config;
  };
  return std::make_unique<Bound>(Parse(in));
}

std::span<const ProbeKind> probe_kinds();
const ProbeKind* find_probe(std::string_view name);
/// The row of `name` in the kind's table, the common `duration` included; nullptr for another word.
const SampleSpec* find_sample(const ProbeKind& kind, std::string_view name);
/// The sample that the runner adds to every observation.
extern const SampleSpec duration_sample;

}  // namespace vitald::probes
