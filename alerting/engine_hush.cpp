// Silences, windows and the clock: what the engine does besides the checks.
#include <algorithm>
#include <utility>

#include "alerting/engine_state.hpp"
#include "alerting/limit_words.hpp"

namespace vitald::alerting {
namespace {

constexpr Duration drift = std::chrono::seconds(1);  // more than a clock that is being steered moves between two steps

}  // namespace

void Engine::State::pass(Turn& turn) {
  const Duration ahead = turn.now.wall.time_since_epoch() - turn.now.steady.time_since_epoch();
  if (!wall_ahead) wall_ahead = ahead;
  const bool set = ahead - *wall_ahead > drift || *wall_ahead - ahead > drift;
  if (set) {
    wall_ahead = ahead;
    incidents.clock_was_set(turn);
    // A restart tells by the wall clock how old a record is: one from before would be as wrong as the clock was.
    incidents.touch_open();
    hush.write_all(turn);
  }
  if (hush.pass(turn) || set) heed_hush(turn);
}

void Engine::State::heed_hush(Turn& turn) {
  incidents.heed_hush(turn);
  causes.weigh(turn);
}

void Engine::State::on(Turn& turn, const SilenceAdded& event) {
  Silence silence;
  silence.id = incidents.mint();
  silence.checks = event.checks;
  silence.owner = bounded(event.owner, 100);
  silence.reason = bounded(event.reason, 300);
  silence.begun = turn.now.steady;
  silence.ends = turn.now.steady + std::clamp(event.lasts, Duration(std::chrono::seconds(1)), Hush::longest);
  silence.until_recovered = event.until_recovered;
  hush.add(turn, std::move(silence));
  settled_changed = true;  // what it matches may be bad already
  heed_hush(turn);
}

void Engine::State::on(Turn& turn, const SilenceRemoved& event) {
  const auto id = hush.find(event.silence);
  if (id && hush.end(turn, *id)) heed_hush(turn);
}

void Engine::State::look_for_recoveries(Turn& turn) {
  const bool moved = std::exchange(settled_changed, false) || incidents.any_touched();
  if (!moved || !hush.awaits_recovery()) return;
  const auto is_bad = [&](const Matcher& matcher) {
    for (const CheckState& check : checks.all()) {
      if (check.settled != Status::ok && matcher.fits(check.name, check.rules->labels)) return true;
    }
    // What vitald says of itself belongs to no check.
    const auto open = incidents.open_ones();
    return std::any_of(open.begin(), open.end(), [&](const Incident* incident) {
      return matcher.fits(incident->facts.check, incident->facts.labels);
    });
  };
  if (hush.look(turn, is_bad)) heed_hush(turn);
}

std::vector<SilenceView> Engine::silences() const { return state_->hush.silences(); }

std::vector<MaintenanceView> Engine::maintenance(Wall now) const { return state_->hush.maintenance(now); }

Result<std::string> Engine::find_silence(std::string_view prefix) const { return state_->hush.find(prefix); }

const std::string& Engine::newest_silence() const { return state_->hush.newest(); }

}  // namespace vitald::alerting
