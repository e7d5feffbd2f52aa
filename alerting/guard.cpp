#include "alerting/guard.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "alerting/limit_words.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

constexpr std::array<std::string_view, 6> silent_reasons = {"timeout",        "connect_timeout", "no_route",
                                                            "name_not_found", "resolver_failed", "network_down"};

/// Nobody answered: neither the target nor anybody on the way to it.
bool is_silence(const Observation& observation) {
  return observation.outcome != Outcome::answered && observation.outcome != Outcome::wrong &&
         std::find(silent_reasons.begin(), silent_reasons.end(), observation.reason) != silent_reasons.end();
}

bool cut_off(const CheckState& uplink) { return uplink.network.cut && !uplink.network.denied; }

std::string plural(std::size_t checks) {
  return std::to_string(checks) + (checks == 1 ? " check could" : " checks could") + " not be measured";
}

}  // namespace

bool uplink_explains(const CheckState& uplink, const CheckState& check) {
  return cut_off(uplink) && check.network.silent;
}

void Guard::adopt_rules(const Rules& rules) { uplink_ = rules.uplink; }

bool Guard::holds(Turn& turn, CheckState& check, const Observed& event) {
  CheckState* uplink = uplink_.empty() ? nullptr : checks_.find(uplink_);
  if (uplink == nullptr || uplink == &check || !check.rules->remote) return false;
  const Observation& observation = event.observation;
  check.network.silent = is_silence(observation);
  Network& network = uplink->network;
  // A run that began before the host was back says nothing either.
  if (!network.cut) return check.network.silent && network.back && event.started.steady < *network.back;
  if (!check.network.silent) {
    const bool proves = observation.outcome != Outcome::unmeasured && !check.rules->near &&
                        event.started.steady >= *network.cut && !network.answered;
    if (!proves) return false;
    network.answered = turn.now.steady;
    checks_.write_now(*uplink);
    turn.effects.requests.push_back({uplink->name, turn.now.steady});
    return false;
  }
  if (!cut_off(*uplink)) return false;
  // What the resolver did not tell is not the target's fault, however long it lasts.
  const bool too_long = turn.now.steady - *network.cut >= longest_hold;
  if (too_long && observation.outcome != Outcome::unmeasured) return false;
  if (!check.network.held) {
    check.network.held = true;
    checks_.write_now(check);
  }
  return true;
}

void Guard::uplink_measured(Turn& turn, CheckState& uplink, const Observed& event) {
  if (uplink.name != uplink_) return;
  Network& network = uplink.network;
  if (uplink.verdict == Status::critical) {
    if (network.cut) {
      const bool wrong = network.answered && event.started.steady >= *network.answered;
      if (wrong && !network.denied) checks_.write_now(uplink);
      network.denied = network.denied || wrong;
      return;
    }
    network.cut = std::min(event.started.steady, turn.now.steady);
    network.denied = false;
    network.answered.reset();
    network.back.reset();
    checks_.write_now(uplink);
  } else if (network.cut) {
    network.cut.reset();
    network.back = turn.now.steady;
    checks_.write_now(uplink);
    release(turn, uplink);
  }
}

/// What is still silent now is silent by itself, and is confirmed anew.
void Guard::release(Turn& turn, const CheckState& uplink) {
  for (CheckState& check : checks_.all()) {
    if (!check.network.held || &check == &uplink || check.verdict != Status::unknown) continue;
    if (check.confirm.level == Status::ok) check.confirm = {};
    checks_.write_now(check);
    turn.effects.requests.push_back({check.name, turn.now.steady});
  }
}

Duration Guard::quiet(const CheckState& check, Steady now) const {
  if (uplink_.empty() || check.name != uplink_) return {};
  return std::max(Duration{}, longest_hold - (now - check.network.cut.value_or(now)));
}

std::string Guard::concluded(Turn& turn, CheckState& uplink, const Incident& incident) {
  if (uplink.name != uplink_) return "";
  std::size_t concerned = 0;
  for (CheckState& check : checks_.all()) {
    const bool held = std::exchange(check.network.held, false);
    if (held || (check.placing.cause == incident.facts.id.incident)) ++concerned;
    if (held) checks_.write_now(check);
  }
  if (uplink.network.denied) return "";  // it was not cut off
  const Wall to = turn.now.wall - (turn.now.steady - uplink.network.back.value_or(turn.now.steady));
  const Wall from = turn.now.wall - (turn.now.steady - incident.opened);
  const bool dates = std::chrono::floor<std::chrono::days>(from) != std::chrono::floor<std::chrono::days>(to);
  std::string begin = say_time(from, dates);
  if (begin.ends_with(" UTC")) begin.resize(begin.size() - 4);
  return "cut off for " + say_duration(std::max(Duration{}, to - from)) + " (" + begin + " to " + say_time(to, dates) +
         "): " + bounded(incident.facts.summary, 150) + (concerned > 0 ? "; " + plural(concerned) : "");
}

}  // namespace vitald::alerting
