#include "probes/backup_judge.hpp"

#include <algorithm>
#include <sstream>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::backup {
namespace {

constexpr std::size_t most_compared = 10;
constexpr std::size_t fewest_compared = 3;
constexpr std::size_t most_listed = 8;

constexpr std::string_view newest_key = "newest", size_key = "size", earlier_key = "earlier";

/// `find -mtime +90 -delete` takes what is 91 days old, once a day: what lives a little longer is no fault.
constexpr Duration longest_patience = std::chrono::hours(48);

Duration age_of(const Copy& copy, Wall now) { return std::max(now - copy.written, Duration::zero()); }
double seconds(Duration length) { return std::chrono::duration<double>(length).count(); }

double median(std::vector<double> sizes) {
  std::sort(sizes.begin(), sizes.end());
  const std::size_t middle = sizes.size() / 2;
  return sizes.size() % 2 == 1 ? sizes[middle] : (sizes[middle - 1] + sizes[middle]) / 2;
}

std::string say_age(const Copy& copy, Wall now) {
  if (now < copy.written) return "dated " + say_duration(copy.written - now) + " in the future";
  return now - copy.written < std::chrono::seconds(1) ? "just written" : say_duration(now - copy.written) + " old";
}

std::string listed(const std::vector<Copy>& copies, Wall now) {
  std::string text;
  for (std::size_t i = 0; i < std::min(copies.size(), most_listed); ++i) {
    if (i > 0) text += '\n';
    text += foreign_text(copies[i].name, 160) + ": " + say_bytes(copies[i].size) + ", " + say_age(copies[i], now);
  }
  if (copies.size() > most_listed) text += "\nand " + std::to_string(copies.size() - most_listed) + " more";
  return text;
}

void add_shrink(const Stock& stock, Observation& seen) {
  const auto usual = usual_size(stock);
  if (!usual) return;
  const Copy& newest = stock.copies.front();
  const double shrink = std::max(1 - newest.size / *usual, 0.0);
  seen.samples.push_back({.name = "shrink",
                          .value = shrink,
                          .says = short_name(newest) + " is " + say_ratio(shrink) + " smaller than usual: " +
                                  say_bytes(newest.size) + " instead of " + say_bytes(*usual)});
  seen.evidence.push_back({"usual size", say_bytes(*usual)});
}

void add_retention(const Rules& rules, const Stock& stock, Observation& seen) {
  const auto count = static_cast<double>(stock.copies.size());
  const Copy& oldest = stock.copies.back();
  seen.samples.push_back({.name = "kept", .value = count, .says = "only " + say_count(count, "backup") + " there"});
  if (rules.keep > 0) {
    seen.samples.push_back({.name = "missing",
                            .value = std::max(static_cast<double>(rules.keep) - count, 0.0),
                            .says = "only " + say_number(count) + " of " + std::to_string(rules.keep) +
                                    " backups are kept; the oldest is " + say_age(oldest, stock.now)});
  }
  seen.samples.push_back({.name = "oldest",
                          .value = seconds(age_of(oldest, stock.now)),
                          .says = "the oldest backup, " + short_name(oldest) + ", is " + say_age(oldest, stock.now)});
  if (!rules.delete_after) return;
  const Duration longest = *rules.delete_after + std::min(*rules.delete_after, longest_patience);
  const auto outlived = std::count_if(stock.copies.begin(), stock.copies.end(),
                                      [&](const Copy& copy) { return age_of(copy, stock.now) > longest; });
  seen.samples.push_back({.name = "outlived",
                          .value = static_cast<double>(outlived),
                          .says = say_count(static_cast<std::int64_t>(outlived), "backup") +
                                  " should have been deleted: " + short_name(oldest) + " is " +
                                  say_age(oldest, stock.now) + ", allowed are " + say_duration(*rules.delete_after)});
}

}  // namespace

Rules read_rules(config::Reader& in, std::string_view one) {
  const std::string noun(one);
  Rules rules;
  rules.minimum_size =
      in.optional("minimum_size", config::Bytes{}, 0, "The newest " + noun + " must have at least this size");
  rules.keep = in.optional("keep", config::Integer{.largest = 10'000}, 0, "So many backups must be there");
  const config::Length length{.shortest = std::chrono::hours(1), .longest = std::chrono::hours(24 * 366 * 10)};
  rules.delete_after = in.maybe("delete_after", length, "Backups older than this should have been deleted");
  return rules;
}

History History::read(const Remembered& memory) {
  History history;
  history.newest = memory.text(newest_key).value_or("");
  history.size = memory.number(size_key).value_or(0);
  std::istringstream sizes(memory.text(earlier_key).value_or(""));
  for (std::string word; sizes >> word && history.earlier.size() < most_compared;) {
    if (const auto size = to_number(word)) history.earlier.push_back(*size);
  }
  return history;
}

void History::write(Remembered& memory) const {
  std::string sizes;
  for (const double each : earlier) sizes += (sizes.empty() ? "" : " ") + say_number(each);
  memory.set(newest_key, newest);
  memory.set(size_key, size);
  memory.set(earlier_key, sizes);
}

void History::see(const Copy& copy) {
  if (newest == copy.identity) return;
  if (!newest.empty() && size > 0) earlier.insert(earlier.begin(), size);
  if (earlier.size() > most_compared) earlier.resize(most_compared);
  newest = copy.identity;
  size = copy.size;
}

void sort_newest_first(std::vector<Copy>& copies) {
  std::sort(copies.begin(), copies.end(), [](const Copy& a, const Copy& b) {
    return a.written != b.written ? a.written > b.written : a.name > b.name;
  });
}

std::optional<double> usual_size(const Stock& stock) {
  std::vector<double> sizes;
  for (std::size_t i = 1; i < stock.copies.size() && sizes.size() < most_compared; ++i) {
    if (stock.copies[i].size > 0) sizes.push_back(stock.copies[i].size);
  }
  if (sizes.size() < fewest_compared) sizes = stock.history.earlier;
  if (sizes.size() < fewest_compared) return std::nullopt;
  return median(std::move(sizes));
}

std::string short_name(const Copy& copy) {
  const std::size_t slash = copy.name.rfind('/');
  const std::string_view name = copy.name;
  return foreign_text(slash == std::string::npos || slash + 1 == name.size() ? name : name.substr(slash + 1));
}

std::string describe(const Copy& copy, Wall now) {
  return short_name(copy) + ", " + say_age(copy, now) + ", " + say_bytes(copy.size);
}

Faults weigh(const Rules& rules, const Stock& stock, Observation& seen) {
  const Copy& newest = stock.copies.front();
  seen.summary = describe(newest, stock.now) + "; " +
                 say_count(static_cast<std::int64_t>(stock.copies.size()), "backup") + " in all";
  seen.samples.push_back({.name = "age",
                          .value = seconds(age_of(newest, stock.now)),
                          .says = "the newest backup, " + short_name(newest) + ", is " + say_age(newest, stock.now)});
  seen.samples.push_back({.name = "size",
                          .value = newest.size,
                          .says = "the newest backup, " + short_name(newest) + ", has only " + say_bytes(newest.size)});
  add_shrink(stock, seen);
  add_retention(rules, stock, seen);
  seen.evidence.push_back({"backups", listed(stock.copies, stock.now)});
  if (!stock.unfinished.empty()) seen.evidence.push_back({"being written", listed(stock.unfinished, stock.now)});

  Faults faults;
  if (newest.size <= 0) {
    faults.push_back(wrong("empty", "the newest backup, " + describe(newest, stock.now) + ", is empty",
                           "see why the job that writes it failed, and run it again"));
  } else if (newest.size < static_cast<double>(rules.minimum_size)) {
    faults.push_back(wrong("too_small",
                           "the newest backup, " + short_name(newest) + ", has " + say_bytes(newest.size) +
                               ", expected at least " + say_bytes(static_cast<double>(rules.minimum_size)),
                           "see why the job that writes it failed, and run it again"));
  }
  return faults;
}

}  // namespace vitald::probes::backup
