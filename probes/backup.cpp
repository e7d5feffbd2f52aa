#include "probes/backup.hpp"

#include <algorithm>
#include <utility>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::backup {
namespace {

// What is remembered of the newest file's content, so that each is read once.
constexpr std::string_view verified_key = "verified", finding_key = "finding";

Verify verify_of(const std::string& word) {
  if (word == "gzip") return Verify::gzip;
  if (word == "zstd") return Verify::zstd;
  return word == "none" ? Verify::none : Verify::by_name;
}

std::string patterns_of(const Config& config) {
  std::string text = config.files.front();
  for (std::size_t i = 1; i < config.files.size(); ++i) text += " or " + config.files[i];
  return foreign_text(text, 200);
}

/// A file dated in the future is finished: waiting for its time to come would hide it until then.
bool is_unfinished(const Config& config, const FoundFile& file, Wall now) {
  return file.changed <= now && now - file.changed < config.unchanged_for;
}

/// Of the newest finished file: the one that is looked into.
const FoundFile* sort_into_stock(const Config& config, const std::vector<FoundFile>& files, Stock& stock) {
  for (const FoundFile& file : files) {
    auto& place = is_unfinished(config, file, stock.now) ? stock.unfinished : stock.copies;
    place.push_back({.name = file.path,
                     .identity = file.identity(),
                     .size = static_cast<double>(file.size),
                     .written = file.changed});
  }
  sort_newest_first(stock.copies);
  sort_newest_first(stock.unfinished);
  if (stock.copies.empty()) return nullptr;
  const std::string& wanted = stock.copies.front().name;
  return &*std::find_if(files.begin(), files.end(), [&](const FoundFile& file) { return file.path == wanted; });
}

/// What the last run left, if it is about this very file.
std::shared_ptr<Verification> resume(ProbeContext& context, const Config& config, const FoundFile& file) {
  auto work = std::exchange(config.underway->work, nullptr);
  if (work != nullptr && work->file().identity() == file.identity()) return work;
  return std::make_shared<Verification>(context.host.root, file, packing_for(config, file.path));
}

/// Reads on for half of the time that is left; what is still to be read then is for the next runs.
awaitable<void> read_on(ProbeContext& context, const Config& config, std::shared_ptr<Verification> work) {
  const Steady stop = context.clock.now().steady + (context.deadline - context.clock.now().steady) / 2;
  bool in_time = true;
  while (work->state() == Verification::State::reading && in_time) {
    std::function<void()> job = [work] { work->advance(); };
    std::string key = config.target();
    co_await context.workers.run(std::move(key), std::move(job));
    in_time = context.clock.now().steady < stop;
  }
  if (work->state() == Verification::State::reading) config.underway->work = work;
}

awaitable<void> look_into(ProbeContext& context, const Config& config, const FoundFile& file, Facts& facts) {
  if (facts.memory.text(verified_key) == file.identity()) {
    facts.integrity.finding = finding_from(facts.memory.text(finding_key).value_or(""));
    if (facts.integrity.finding) co_return;
  }
  const auto work = resume(context, config, file);
  try {
    co_await read_on(context, config, work);
  } catch (const ProbeFailure& failure) {
    facts.integrity.trouble = failure;  // its age and size are known all the same
    co_return;
  }
  if (work->state() == Verification::State::reading) facts.integrity.progress = work->progress();
  if (work->state() != Verification::State::ended) co_return;
  facts.integrity.finding = work->finding();
  facts.memory.set(verified_key, file.identity());
  facts.memory.set(finding_key, to_text(work->finding()));
}

void add_integrity(const Copy& newest, const Integrity& integrity, Faults& faults, Observation& seen) {
  if (integrity.finding && integrity.finding->what == Finding::What::intact) {
    seen.evidence.push_back({"integrity", short_name(newest) + " decodes to its end"});
  } else if (integrity.finding && integrity.finding->what == Finding::What::hollow) {
    faults.push_back(wrong("hollow",
                           "the newest backup, " + short_name(newest) + ", is well packed, but there is nothing in it",
                           "see why the program whose output it should hold wrote none, and run the backup again"));
  } else if (integrity.finding) {
    faults.push_back(wrong("corrupt", short_name(newest) + " is corrupt: " + foreign_text(integrity.finding->words),
                           "run the backup again; until then the last good one is an older file"));
  }
  if (integrity.progress) {
    seen.evidence.push_back({"integrity", say_ratio(*integrity.progress) + " of " + short_name(newest) +
                                              " read and decoded so far; the next runs go on"});
  }
  if (integrity.trouble) faults.push_back(*integrity.trouble);
}

Observation judge_none(const Config& config, const Facts& facts) {
  Observation seen;
  if (!facts.stock.unfinished.empty()) {
    const Copy& first = facts.stock.unfinished.front();
    seen.samples.push_back({.name = "kept", .value = 0, .says = "no finished backup is there"});
    seen.summary = "the first backup is being written: " + describe(first, facts.stock.now);
  } else if (!facts.missing_folder.empty()) {
    blame(wrong("no_folder", "the folder " + facts.missing_folder + " is not there, so no backup is",
                "see whether its file system is mounted: findmnt --target " + facts.missing_folder),
          seen);
  } else {
    blame(wrong("no_backup", "no file matches " + patterns_of(config), "run the backup, and see why it did not run"),
          seen);
  }
  return seen;
}

}  // namespace

std::string Config::target() const {
  const std::string first = files.empty() ? "" : files.front();
  return "files " + first.substr(0, first.rfind('/', first.find_first_of("*?[")) + 1);
}

Config parse(config::Reader& in) {
  Config config;
  const config::ListOf<config::Text> patterns{.kind = {}, .single = true, .most = 20};
  config.files =
      in.required("files", patterns, "Pattern of the backups' files, such as /backups/db-*.sql.gz, or a list");
  config.rules = read_rules(in, "file");
  const config::OneOf ways{{"auto", "gzip", "zstd", "none"}};
  config.verify = verify_of(
      in.optional("verify", ways, "auto", "Decode each new file to its end, as gzip -t does; `auto` goes by its name"));
  const config::Length length{.longest = std::chrono::hours(24)};
  config.unchanged_for = in.optional("unchanged_for", length, std::chrono::minutes(2),
                                     "A file that was changed more recently is still being written");
  for (const std::string& pattern : config.files) {
    const std::string complaint = wrong_with_pattern(pattern);
    if (!complaint.empty()) in.problem("files", "'" + pattern + "': " + complaint);
  }
  if (in.has("files") && config.files.empty()) in.problem("files", "names no file");
  return config;
}

Packing packing_for(const Config& config, const std::string& path) {
  switch (config.verify) {
    case Verify::gzip:
      return Packing::gzip;
    case Verify::zstd:
      return Packing::zstd;
    case Verify::none:
      return Packing::none;
    case Verify::by_name:
      break;
  }
  return packing_of(path);
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.memory = Remembered::read(context.memory);
  const auto found = std::make_shared<FoundFiles>();
  std::function<void()> job = [found, root = context.host.root, patterns = config.files] {
    *found = find_files(root, patterns);
  };
  std::string key = config.target();
  co_await context.workers.run(std::move(key), std::move(job));
  facts.missing_folder = found->missing_folder;
  facts.stock.now = context.clock.now().wall;
  facts.stock.history = History::read(facts.memory);
  const FoundFile* newest = sort_into_stock(config, found->files, facts.stock);
  if (newest == nullptr) co_return facts;
  facts.stock.history.see(facts.stock.copies.front());
  facts.stock.history.write(facts.memory);
  if (newest->size > 0 && packing_for(config, newest->path) != Packing::none) {
    co_await look_into(context, config, *newest, facts);
  }
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  if (facts.stock.copies.empty()) return judge_none(config, facts);
  Observation seen;
  Faults faults = weigh(config.rules, facts.stock, seen);
  add_integrity(facts.stock.copies.front(), facts.integrity, faults, seen);
  std::stable_partition(faults.begin(), faults.end(),
                        [](const ProbeFailure& fault) { return fault.outcome != Outcome::unmeasured; });
  blame(faults, seen, faults.size());
  seen.memory = facts.memory.written();
  return seen;
}

}  // namespace vitald::probes::backup
