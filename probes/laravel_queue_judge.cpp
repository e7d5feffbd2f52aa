// What the facts of one run mean, next to what the last run saw.
#include <algorithm>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/laravel_queue.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::laravel_queue {
namespace {

constexpr double worth_a_word = 60;  // seconds without movement
constexpr std::size_t most_named = 3;

/// One queue's row: what a limit may look at, and what the next run needs.
struct Report {
  const QueueFacts* facts = nullptr;
  double oldest_age = 0;
  double stalled = 0;
  std::optional<double> idle = {};
  QueueMemory memory = {};
};

bool waits(const QueueFacts& queue) { return queue.waiting() > 0 || queue.reserved_expired > 0; }

/// Whether anything says that a worker is at work: it took the job that was next, or has one in hand.
bool moved(const QueueFacts& queue, const QueueMemory* before) {
  if (before == nullptr || !waits(queue) || queue.head.empty()) return true;
  return queue.head != before->head || queue.pending < before->pending || queue.reserved > queue.reserved_expired;
}

/// Since when the job that is next could have been taken. What its payload says may lie too early (a delayed job, one
/// that came back), so it never lies before the last time when nothing waited.
double takeable_since(const QueueFacts& queue, const QueueMemory& next, double now) {
  double since = queue.head_at.value_or(next.head_since);
  if (next.empty) since = std::max(since, *next.empty);
  return std::min(since, now);
}

std::optional<double> last_arrival(const QueueFacts& queue, const QueueMemory* before, std::int64_t total,
                                   double seen_before, double now) {
  std::optional<double> arrived = before == nullptr ? std::nullopt : before->arrived;
  if (queue.newest_at) arrived = std::max(arrived.value_or(0), std::min(*queue.newest_at, now));
  if (before == nullptr || arrived.value_or(0) > seen_before) return arrived;
  const bool another = !queue.newest_at && !queue.newest.empty() && queue.newest != before->newest;
  if (total > before->total || another) arrived = now;
  return arrived;
}

Report report(const QueueFacts& queue, const Facts& facts) {
  const double now = facts.now;
  const QueueMemory* before = facts.before ? facts.before->find(queue.name) : nullptr;
  Report made{.facts = &queue};
  QueueMemory& next = made.memory;
  next = {.name = queue.name,
          .pending = queue.pending,
          .total = queue.pending + queue.delayed + queue.reserved,
          .head = queue.head,
          .head_since = now,
          .still_since = now,
          .newest = queue.newest};
  if (before != nullptr) {
    if (next.head == before->head) next.head_since = std::min(before->head_since, now);
    if (next.newest.empty()) next.newest = before->newest;
    next.empty = before->empty;
  }
  if (!moved(queue, before)) next.still_since = std::min(before->still_since, now);
  if (!waits(queue)) next.empty = now;
  next.arrived = last_arrival(queue, before, next.total, facts.before ? facts.before->at : 0, now);

  if (waits(queue)) {
    made.oldest_age = now - takeable_since(queue, next, now);
    made.stalled = now - next.still_since;
  }
  if (next.arrived) made.idle = now - *next.arrived;
  return made;
}

std::string jobs(std::int64_t count) { return say_count(count, "job"); }

std::string say_seconds(double seconds) {
  return say_duration(std::chrono::floor<std::chrono::seconds>(length_of(seconds)));
}

std::string say_queue(const Report& each) {
  const QueueFacts& queue = *each.facts;
  const std::string name = queue.name + ": ";
  std::string text;
  if (queue.waiting() > 0) {
    text = name + jobs(queue.waiting()) + (queue.waiting() == 1 ? " waits" : " wait");
    if (each.oldest_age >= 1) text += ", the oldest for " + say_seconds(each.oldest_age);
  } else {
    text = name + jobs(queue.reserved_expired) + (queue.reserved_expired == 1 ? " was" : " were") +
           " taken and never finished";
  }
  if (each.stalled >= worth_a_word) text += ", and no worker has taken any for " + say_seconds(each.stalled);
  return text;
}

std::string say_queues(std::vector<Report> reports) {
  const std::size_t all = reports.size();
  std::erase_if(reports, [](const Report& each) { return !waits(*each.facts); });
  if (reports.empty()) {
    return all == 1 ? "no job waits" : "no job waits in any of " + std::to_string(all) + " queues";
  }
  std::stable_sort(reports.begin(), reports.end(), [](const Report& a, const Report& b) {
    return std::pair(a.stalled, a.oldest_age) > std::pair(b.stalled, b.oldest_age);
  });
  std::string text;
  for (std::size_t i = 0; i < reports.size() && i < most_named; ++i) {
    text += (i == 0 ? "" : "; ") + say_queue(reports[i]);
  }
  if (reports.size() > most_named) {
    const std::size_t more = reports.size() - most_named;
    text += "; and " + std::to_string(more) + (more == 1 ? " more queue" : " more queues") + " with jobs that wait";
  }
  return text;
}

void add_failed(const FailedFacts& failed, Observation& seen) {
  if (!failed.fresh) return;
  seen.samples.push_back({.name = "failed", .value = static_cast<double>(*failed.fresh)});
  if (*failed.fresh == 0) return;
  seen.summary = jobs(*failed.fresh) + " failed since the last run; " + seen.summary;
  for (const std::string& name : failed.names) seen.evidence.push_back({"failed job", name});
}

/// Sample by sample and not queue by queue: /metrics takes 50 rows of a check, and the telling ones come first.
void add_samples(const std::vector<Report>& reports, Observation& seen) {
  const auto add = [&](const char* name, auto value_of) {
    for (const Report& each : reports) {
      const std::optional<double> value = value_of(each);
      if (value) seen.samples.push_back({.name = name, .value = *value, .labels = {{"queue", each.facts->name}}});
    }
  };
  const auto number = [](std::int64_t count) { return std::optional(static_cast<double>(count)); };
  add("pending", [&](const Report& each) { return number(each.facts->pending); });
  add("stalled", [](const Report& each) { return std::optional(each.stalled); });
  add("oldest_age", [](const Report& each) { return std::optional(each.oldest_age); });
  add("reserved", [&](const Report& each) { return number(each.facts->reserved); });
  add("reserved_expired", [&](const Report& each) { return number(each.facts->reserved_expired); });
  add("delayed", [&](const Report& each) { return number(each.facts->delayed); });
  add("delayed_due",
      [&](const Report& each) { return each.facts->delayed_due ? number(*each.facts->delayed_due) : std::nullopt; });
  add("idle", [](const Report& each) { return each.idle; });
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  Memory next{.at = facts.now, .seen = facts.before && facts.before->seen};
  std::vector<Report> reports;
  for (const QueueFacts& queue : facts.queues) {
    Report made = report(queue, facts);
    next.seen = next.seen || made.memory.total > 0;
    next.queues.push_back(made.memory);
    reports.push_back(std::move(made));
  }
  if (facts.failed) next.failed = facts.failed->newest;
  seen.memory = write_memory(next, config.memory_of());

  seen.evidence.push_back({"address", facts.peer});
  add_samples(reports, seen);
  seen.summary = say_queues(std::move(reports));
  if (facts.failed) add_failed(*facts.failed, seen);
  if (!facts.found_instead.empty()) {
    const std::string key = foreign_text(facts.found_instead, 120);
    seen.evidence.push_back({"hint", "nothing was ever seen under this prefix, but there is a key '" + key + "'"});
  }
  if (facts.payload_too_large) {
    seen.evidence.push_back({"hint", "a job is too large to be read, so ages count from when vitald first saw it"});
  }
  return seen;
}

}  // namespace vitald::probes::laravel_queue
