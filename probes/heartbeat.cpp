#include "probes/heartbeat.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "config/calendar_kinds.hpp"
#include "probes/authorization.hpp"
#include "probes/remembered.hpp"
#include "probes/tail.hpp"

namespace vitald::probes::heartbeat {
namespace {

using config::Length;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t lines_kept = 12;  // as many as a message shows

std::optional<Wall> time_of(const Remembered& memory, std::string_view key) {
  const auto value = memory.number(key);
  if (!value || *value < 0 || *value > 1e13) return std::nullopt;  // ms; the year 2286
  return Wall(milliseconds(static_cast<std::int64_t>(*value)));
}

void set_time(Remembered& memory, std::string_view key, const std::optional<Wall>& time) {
  if (time) memory.set(key, static_cast<double>(floor<milliseconds>(time->time_since_epoch()).count()));
}

/// Takes the same time wherever they differ.
bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

class Heartbeat final : public Probe, public PingTarget {
 public:
  explicit Heartbeat(Config config) : config_(std::move(config)) {}

  awaitable<Observation> run(ProbeContext& context) const override {
    const Facts facts = co_await heartbeat::run(context, config_);
    co_return judge(config_, facts);
  }
  std::string target() const override { return config_.target(); }
  const PingTarget* ping_target() const override { return this; }
  bool has_token() const override { return config_.token.has_value(); }
  std::optional<PingRefusal> refuses(const Ping& ping) const override { return heartbeat::refuses(config_, ping); }
  Observation take(const Ping& ping, std::string_view memory, const Now& now, Wall listening_since) const override {
    return heartbeat::take(config_, ping, memory, now, listening_since);
  }

 private:
  Config config_;
};

}  // namespace

Config parse(config::Reader& in) {
  constexpr Duration longest = 24h * 366;
  Config config;
  config.expect_every = in.maybe("expect_every", Length{1s, longest}, "A ping is expected at least this often");
  config.cron = in.maybe("cron", config::CronText{}, "Or at these times, as in the job's line of the crontab");
  const auto zone =
      in.maybe("timezone", config::ZoneName{}, "Where those times hold; left out: the host's, as for cron");
  config.grace = in.optional("grace", Length{0s, 24h * 31}, 5min, "How much later than expected a ping may come");
  config.max_run = in.maybe("max_run", Length{1s, longest}, "How long a run may take whose start was told");
  config.token =
      in.maybe("token", config::SecretText{}, "What a ping must present; required unless listen.http is loopback");
  if (in.describes()) return config;
  if (in.has("expect_every") == in.has("cron")) {
    in.problem("", in.where() + " needs either 'expect_every', such as 1h, or 'cron', such as '0 7 * * 1'");
  }
  if (in.has("timezone") && !in.has("cron")) in.problem("timezone", "'timezone' is of use with 'cron' only");
  if (zone) config.zone = *zone;
  if (config.cron && !in.has("timezone")) {
    const auto host = TimeZone::of_host();
    if (host) config.zone = *host;
    if (!host) in.problem("cron", host.failure().what);
  }
  return config;
}

History read_history(std::string_view memory) {
  const auto kept = Remembered::read(memory);
  History history;
  history.known_since = time_of(kept, "known_since");
  history.ended = time_of(kept, "ended");
  history.started = time_of(kept, "started");
  history.unfinished = time_of(kept, "unfinished");
  if (const auto took = time_of(kept, "took")) history.took = took->time_since_epoch();
  if (const auto code = kept.number("exit_code"); code && *code >= 0 && *code <= 255) {
    history.exit_code = static_cast<int>(*code);
  }
  history.failed = kept.text("failed").has_value();
  history.failures = kept.number("failures").value_or(0);
  history.missed = kept.text("missed").has_value();
  history.output = kept.text("output").value_or("");
  return history;
}

std::string written(const History& history) {
  Remembered memory;
  set_time(memory, "known_since", history.known_since);
  set_time(memory, "ended", history.ended);
  set_time(memory, "started", history.started);
  set_time(memory, "unfinished", history.unfinished);
  if (history.took) set_time(memory, "took", Wall(*history.took));
  if (history.exit_code) memory.set("exit_code", static_cast<double>(*history.exit_code));
  if (history.failed) memory.set("failed", "yes");
  if (history.failures > 0) memory.set("failures", history.failures);
  if (history.missed) memory.set("missed", "yes");
  if (!history.output.empty()) memory.set("output", history.output);
  return memory.written();
}

History told(History history, const Ping& ping, Wall now) {
  history.known_since.reset();
  if (ping.kind == Ping::Kind::start) {
    history.started = now;
    // A run that was cut off stays unfinished until one ends, however often the job begins anew.
    if (!history.unfinished) {
      history.unfinished = now;
      history.missed = false;
    }
    return history;
  }
  history.took.reset();
  if (history.started) history.took = std::max(Duration::zero(), now - *history.started);
  history.started.reset();
  history.unfinished.reset();
  history.missed = false;
  history.ended = now;
  history.exit_code = ping.exit_code;
  history.failed = ping.kind == Ping::Kind::failure;
  if (history.failed) ++history.failures;
  history.output = last_lines_of(ping.output, lines_kept);
  return history;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  if (!context.listening_since) {
    throw ProbeFailure(Outcome::unmeasured, "local",
                       "pings reach the running service, which alone knows how this stands",
                       "ask it: vitald probe, without --local");
  }
  if (config.token) (void)reveal(*config.token);  // without it no ping is taken: that is our trouble, not the job's
  co_return Facts{read_history(context.memory), context.started.wall, *context.listening_since};
}

std::optional<PingRefusal> refuses(const Config& config, const Ping& ping) {
  if (!config.token) return std::nullopt;
  const auto secret = config.token->reveal();
  // Whoever pings may be a stranger; where the secret lies is told by the check's own verdict.
  if (!secret) return PingRefusal{true, "vitald cannot read the check's token; ask it why: vitald probe"};
  if (!same_secret(*secret, ping.token)) return PingRefusal{false, "the check's token is missing or another one"};
  return std::nullopt;
}

Observation take(const Config& config, const Ping& ping, std::string_view memory, const Now& now,
                 Wall listening_since) {
  const Facts facts{told(read_history(memory), ping, now.wall), now.wall, listening_since};
  Observation seen = judge(config, facts);
  if (!seen.memory) seen.memory = written(facts.history);
  return seen;
}

std::unique_ptr<const Probe> make(config::Reader& in) { return std::make_unique<Heartbeat>(parse(in)); }

}  // namespace vitald::probes::heartbeat
