#include "probes/expiry.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <numeric>
#include <set>

#include "config/shown.hpp"
#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/glob.hpp"
#include "probes/numbers.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::expiry {
namespace {

constexpr std::size_t most_items = 50;  // as many series as /metrics shows of one check
constexpr std::size_t most_listed = 12;
constexpr Duration one_day = std::chrono::hours(24);

std::optional<int> digits(std::string_view text, std::size_t count) {
  int value = 0;
  if (text.size() != count || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<Day> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4), 4), month = digits(text.substr(5, 2), 2), day = digits(text.substr(8), 2);
  if (!year || !month || !day || *year < 1970 || *year > 2199) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok() ? std::optional<Day>(date) : std::nullopt;
}

/// A day is good to its last second, in UTC.
Wall end_of(Day day) { return Wall(day.time_since_epoch() + one_day); }

Day last_day(Wall end) { return std::chrono::floor<std::chrono::days>(end - std::chrono::seconds(1)); }

/// From two days on hours do not matter.
std::string say_distance(Duration length) {
  return say_duration(length < 2 * one_day ? length : std::chrono::floor<std::chrono::days>(length));
}

std::string say_left(const Item& item, Wall end, Wall now) {
  const std::string date = say_day(last_day(end));
  if (end > now) {
    return item.name + (item.is_rotation() ? " must be rotated by " : " expires on ") + date + ", in " +
           say_distance(end - now);
  }
  const std::string ago = say_distance(now - end);
  return item.is_rotation() ? item.name + " is " + ago + " overdue: it had to be rotated by " + date
                            : item.name + " expired on " + date + ", " + ago + " ago";
}

void check_item(config::Reader& in, const Item& item) {
  const int ways = int{item.on.has_value()} + int{item.rotated.has_value()} + int{!item.file.empty()} +
                   int{!item.certificate.empty()};
  if (ways != 1) in.problem("", "needs one of 'on', 'rotated', 'file' and 'certificate'");
  const bool wants_age = item.rotated.has_value() || !item.file.empty();
  if (ways == 1 && wants_age && !in.has("max_age")) in.problem("", "'rotated' and 'file' need 'max_age'");
  if (ways == 1 && !wants_age && in.has("max_age")) {
    in.problem("max_age", "'max_age' goes with 'rotated' or 'file' only");
  }
  for (const auto& [key, path] : {std::pair("file", &item.file), std::pair("certificate", &item.certificate)}) {
    if (!path->empty() && !path->starts_with('/')) in.problem(key, "expected an absolute path, found '" + *path + "'");
  }
}

Item read_item(config::Reader& in) {
  Item item;
  const config::Text path{.may_be_empty = true};
  const config::Length age{.shortest = std::chrono::hours(1), .longest = std::chrono::hours(24 * 366 * 10)};
  item.name = in.required("name", config::Text{.longest = 80}, "What it is, as messages say it: JWT signing key");
  item.on = in.maybe("on", Date{}, "Its last good day, such as 2027-01-15 (UTC)");
  item.rotated = in.maybe("rotated", Date{}, "The day on which it was last rotated; with max_age");
  item.file = in.optional("file", path, "", "A file that is written anew at each rotation; with max_age");
  item.certificate =
      in.optional("certificate", path, "", "File of certificates, PEM, DER or OpenSSH: the first one to expire counts");
  item.max_age = in.maybe("max_age", age, "How old it may get");
  check_item(in, item);
  return item;
}

/// When the file was last written. Blocks.
Wall written(const Host& host, const std::string& path) {
  struct stat status {};
  if (stat((host.root + path).c_str(), &status) == 0) return wall_of(status.st_mtim);
  const int error = errno;
  if (error == ENOENT || error == ENOTDIR) throw wrong("missing", path + " is not there");
  if (error == EACCES) {
    throw unmeasured("denied:" + path, "vitald may not look at " + path,
                     "let it into the folder: setfacl -m u:vitald:x " + path.substr(0, path.rfind('/')));
  }
  throw failure_from(std::error_code(error, std::system_category()), "look at " + path);
}

/// Blocks.
Validity validity_of(const Host& host, const std::string& path) {
  std::string bytes;
  try {
    bytes = host.read(path);
  } catch (const ProbeFailure& failure) {
    if (failure.reason.starts_with("missing:")) throw wrong("missing", path + " is not there");
    throw;
  }
  auto validity = read_validity(bytes);
  if (!validity) throw wrong("no_certificate", path + " " + validity.failure().what);
  return std::move(*validity);
}

Found find(const Host& host, const Item& item) {
  Found found;
  try {
    if (item.on) found.end = end_of(*item.on);
    if (item.rotated) found.end = end_of(*item.rotated) + *item.max_age;
    if (!item.file.empty()) found.end = written(host, item.file) + *item.max_age;
    if (item.certificate.empty()) return found;
    Validity validity = validity_of(host, item.certificate);
    found.end = validity.end;
    found.subject = std::move(validity.subject);
  } catch (const ProbeFailure& failure) {
    found.trouble = failure;  // of this item alone
  }
  return found;
}

bool needs_files(const Config& config) {
  return std::any_of(config.items.begin(), config.items.end(),
                     [](const Item& item) { return !item.file.empty() || !item.certificate.empty(); });
}

std::vector<Found> find_all(const Host& host, const std::vector<Item>& items) {
  std::vector<Found> found;
  for (const Item& item : items) found.push_back(find(host, item));
  return found;
}

/// Items that have an end, the next one first.
std::vector<std::size_t> by_end(const Facts& facts) {
  std::vector<std::size_t> order(facts.found.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [&](std::size_t i) { return !facts.found[i].end; });
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return *facts.found[a].end < *facts.found[b].end; });
  return order;
}

Faults find_faults(const Config& config, const Facts& facts) {
  Faults faults;
  for (std::size_t i = 0; i < facts.found.size(); ++i) {
    const Item& item = config.items[i];
    const auto& trouble = facts.found[i].trouble;
    if (trouble) {
      faults.push_back({trouble->outcome, trouble->reason, item.name + ": " + trouble->what(), trouble->remedy});
    }
    if (item.rotated && Wall(item.rotated->time_since_epoch()) > facts.now + one_day) {
      faults.push_back(unmeasured("future:" + item.name,
                                  item.name + " was rotated on " + say_day(*item.rotated) +
                                      ", says the check, which is "
                                      "yet to come",
                                  "correct rotated: in the check"));
    }
  }
  std::stable_partition(faults.begin(), faults.end(),
                        [](const ProbeFailure& fault) { return fault.outcome != Outcome::unmeasured; });
  return faults;
}

}  // namespace

std::string Date::type_name() const { return "date"; }
std::string Date::schema() const { return R"({"type":"string","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})"; }
Result<Day> Date::read(const config::Node& node, config::Problems&) const {
  const auto day = node.kind == config::Node::Kind::scalar ? parse_day(node.scalar) : std::nullopt;
  if (day) return *day;
  if (node.kind != config::Node::Kind::scalar) {
    return Failure{"", "expected a date such as 2027-01-15, found " + std::string(node.kind_name())};
  }
  return Failure{"", "expected a date such as 2027-01-15" + config::but_found(node.scalar)};
}
Day Date::dummy() const { return {}; }
std::string Date::show(const Day& value) const { return say_day(value); }

std::string say_day(Day day) { return say_time(Wall(day.time_since_epoch()), true).substr(0, 10); }

Config parse(config::Reader& in) {
  Config config;
  std::set<std::string> names;
  in.objects("items", "What ends, and when; at most 50", [&](config::Reader& one) {
    config.items.push_back(read_item(one));
    const std::string& name = config.items.back().name;
    if (!name.empty() && !names.insert(name).second) one.problem("name", "'" + name + "' stands twice");
  });
  if (in.describes()) return config;
  if (config.items.empty()) in.problem("items", "needs 'items': what ends, and when");
  if (config.items.size() > most_items) in.problem("items", "has more than 50 items; make a second check");
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  if (needs_files(config)) {
    const auto found = std::make_shared<std::vector<Found>>();
    std::function<void()> job = [found, host = context.host, items = config.items] { *found = find_all(host, items); };
    std::string key = config.target();
    co_await context.workers.run(std::move(key), std::move(job));
    facts.found = std::move(*found);
  } else {
    facts.found = find_all(context.host, config.items);
  }
  facts.now = context.clock.now().wall;
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  std::string list;
  const auto order = by_end(facts);
  for (std::size_t place = 0; place < order.size(); ++place) {
    const Item& item = config.items[order[place]];
    const Found& found = facts.found[order[place]];
    const std::string words = say_left(item, *found.end, facts.now);
    const std::chrono::duration<double> left = *found.end - facts.now;
    seen.samples.push_back({.name = "left", .value = left.count(), .labels = {{"item", item.name}}, .says = words});
    if (place >= most_listed) continue;
    list += (list.empty() ? "" : "\n") + words + (found.subject.empty() ? "" : " (" + found.subject + ")");
  }
  if (!list.empty()) seen.evidence.push_back({"items", list});
  if (order.empty()) {
    seen.summary = "nothing of it ever expires";
  } else {
    seen.summary = seen.samples.front().says;
    if (order.size() > 1) seen.summary += "; " + std::to_string(order.size() - 1) + " more later";
  }
  const Faults faults = find_faults(config, facts);
  blame(faults, seen, most_listed);
  return seen;
}

}  // namespace vitald::probes::expiry
