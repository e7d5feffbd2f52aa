#include "probes/journal.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "config/units.hpp"
#include "probes/distinct_lines.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/remembered.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::journal {
namespace {

constexpr std::uint64_t most_entries = 50'000;  // of one run
constexpr Duration one_microsecond = std::chrono::microseconds(1);

const std::vector<std::string>& priorities() {
  static const std::vector<std::string> words{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
  return words;
}

std::vector<std::string> read_list(config::Reader& in, std::string_view key, std::string_view help) {
  return in.optional(key, config::ListOf<config::Text>{.kind = {.longest = 255}, .single = true, .most = 32}, {}, help);
}

/// What the journal's own search depends on: a cursor is worth something to the same search only.
std::string text_of(const JournalFilter& filter) {
  std::string text = filter.kernel ? "kernel" : "";
  for (const std::string& unit : filter.units) text += " unit " + unit;
  for (const std::string& identifier : filter.identifiers) text += " identifier " + identifier;
  if (filter.priority) text += " priority " + std::to_string(*filter.priority);
  return text;
}

double microseconds(Wall at) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
}

std::optional<Wall> time_of(const Remembered& memory, std::string_view key) {
  const auto value = memory.number(key);
  if (!value || *value < 0 || *value > 4.1e15) return std::nullopt;  // the year 2099
  return Wall{std::chrono::microseconds(static_cast<std::int64_t>(*value))};
}

/// What the worker's job touches: its own, since it may outlive the run.
struct Job {
  std::string root;
  Config config;
  Remembered before;
  Wall now;
  std::function<bool()> time_is_up;
  Facts facts = {};

  void work() {
    JournalReader reader(root, config.entries);
    DistinctLines distinct(before, now);
    if (find_place(reader)) read(reader, distinct);
    Remembered after;
    distinct.write(after);
    facts.distinct = distinct.evidence();
    facts.entries =
        static_cast<std::uint64_t>(std::clamp(before.number("entries").value_or(0), 0.0, 1e15)) + facts.looked_at;
    after.set("entries", static_cast<double>(facts.entries));
    after.set("search", text_of(config.entries));
    after.set("at", microseconds(at));
    if (!cursor.empty()) after.set("cursor", cursor);
    // To ten minutes, so that a quiet journal does not make a new record at each run.
    const Wall end = facts.behind ? at : now;
    after.set("looked_until",
              microseconds(std::chrono::floor<std::chrono::duration<std::int64_t, std::ratio<600>>>(end)));
    facts.memory = after.written();
  }

 private:
  std::string cursor;  // of the last entry that was looked at
  Wall at{};           // and its time; of entries from before that none is looked at again

  /// False when there is nothing to look at yet: at a first run, which begins with what comes after it.
  bool find_place(JournalReader& reader) {
    const auto last = time_of(before, "at");
    if (!last) return begin(reader);
    at = *last;
    const auto known = before.text("cursor");
    if (known && before.text("search") == text_of(config.entries)) {
      cursor = *known;
      if (reader.to_cursor(cursor)) return true;
      cursor.clear();
      // The last entry of a quiet search may go long after it was looked at, and nothing is lost then.
      const auto oldest = reader.oldest(), looked_until = time_of(before, "looked_until");
      facts.gap = oldest && looked_until && *oldest > std::max(*looked_until, at);
    }
    reader.to_time(at + one_microsecond);
    return true;
  }

  bool begin(JournalReader& reader) {
    at = now - config.since.value_or(Duration::zero());
    if (config.since) {
      reader.to_time(at);
      return true;
    }
    reader.to_end();
    if (!reader.previous()) return false;
    cursor = reader.cursor();
    at = reader.entry().at;
    return false;
  }

  void read(JournalReader& reader, DistinctLines& distinct) {
    while (reader.next()) {
      const JournalEntry entry = reader.entry();
      facts.looked_at += 1;
      at = entry.at;
      look_at(entry, distinct);
      if (facts.looked_at < most_entries && !time_is_up()) continue;
      facts.behind = std::max(Duration::zero(), Duration(now - entry.at));
      break;
    }
    if (facts.looked_at > 0) cursor = reader.cursor();
  }

  void look_at(const JournalEntry& entry, DistinctLines& distinct) {
    if (!config.lines.match.empty() && !config.lines.takes(entry.message)) return;
    const auto unwanted = [&](const Pattern::value_type& pattern) { return matches(*pattern, entry.message); };
    if (std::any_of(config.lines.ignore.begin(), config.lines.ignore.end(), unwanted)) return;
    facts.matches += 1;
    facts.newest = entry.identifier.empty() ? entry.message : entry.identifier + ": " + entry.message;
    distinct.add(facts.newest);
  }
};

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.lines = read_line_filter(in);
  config.entries.units = read_list(in, "unit", "Entries of this unit, or of these; without a suffix it is a .service");
  for (std::string& unit : config.entries.units) {
    if (unit.find_first_of("*?[") != std::string::npos)
      in.problem("unit", "expected the name of a unit, found '" + unit + "'");
    if (unit.find('.') == std::string::npos) unit += ".service";
  }
  config.entries.identifiers = read_list(in, "identifier", "Entries of programs that log under this name, or these");
  const auto priority = in.maybe("priority", config::OneOf{priorities()}, "Entries that are at least this urgent");
  if (priority) {
    const auto found = std::find(priorities().begin(), priorities().end(), *priority);
    config.entries.priority = static_cast<int>(found - priorities().begin());
  }
  config.entries.kernel =
      in.optional("kernel", config::Boolean{}, false, "Messages of the kernel, as dmesg shows them");
  config.since =
      in.maybe("since", config::Length{}, "How far back the first run looks; left out, it begins with what is new");
  if (config.entries.kernel && !config.entries.units.empty()) {
    in.problem("unit", "'unit' is not possible with 'kernel': the kernel is no unit");
  }
  if (config.lines.match.empty() && !config.entries.priority) in.problem("", "needs 'match' or 'priority'");
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  const auto job = std::make_shared<Job>();
  job->root = context.host.root;
  job->config = config;
  job->before = Remembered::read(context.memory);
  job->now = context.started.wall;
  // What is not read by then is read at the next run; a run that ends at its deadline would have to begin again.
  const Steady enough = context.started.steady + (context.deadline - context.started.steady) / 2;
  job->time_is_up = [&clock = context.clock, enough] { return clock.now().steady >= enough; };
  context.phases.begin("read");
  std::function<void()> work = [job] { job->work(); };
  std::string key = config.target();
  co_await context.workers.run(std::move(key), std::move(work));
  context.phases.mark("read");
  co_return job->facts;
}

Observation judge(const Config&, const Facts& facts) {
  Observation seen;
  seen.summary = "none of " + std::to_string(facts.looked_at) + " new entries matches";
  if (facts.looked_at == 0) seen.summary = "no new entries";
  if (facts.matches == 1) seen.summary = "1 new entry matches: " + foreign_text(facts.newest, 160);
  if (facts.matches > 1) {
    seen.summary = std::to_string(facts.matches) + " new entries match, the last: " + foreign_text(facts.newest, 160);
  }
  seen.samples = {
      {.name = "matches", .value = static_cast<double>(facts.matches), .says = facts.matches > 0 ? seen.summary : ""},
      {.name = "entries", .value = static_cast<double>(facts.entries)},
      {.name = "gaps", .value = facts.gap ? 1.0 : 0.0, .says = "the journal dropped entries before vitald saw them"},
      {.name = "lag", .value = std::chrono::duration<double>(facts.behind.value_or(Duration::zero())).count()},
  };
  seen.evidence = facts.distinct;
  if (facts.behind) {
    seen.evidence.push_back({"behind", "the time was up at entries from " + say_duration(*facts.behind) +
                                           " ago; the next run goes on from there"});
  }
  if (facts.gap) seen.evidence.push_back({"gap", "the journal dropped entries before they were looked at"});
  seen.memory = facts.memory;
  return seen;
}

}  // namespace vitald::probes::journal
