#include "probes/access_log.hpp"

#include <algorithm>
#include <memory>

#include "config/units.hpp"
#include "probes/access_window.hpp"
#include "probes/distinct_lines.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::access_log {
namespace {

constexpr std::size_t most_evidence = 10;

double number(std::uint64_t value) { return static_cast<double>(value); }

/// What the worker's job touches: its own, since it may outlive the run.
struct Job {
  Config config;
  FollowOptions options;
  Remembered memory;
  Facts facts = {};

  void work() {
    AccessWindow window(memory, config.window, options.now);
    DistinctLines failing(memory, options.now);
    facts.misread = static_cast<std::uint64_t>(std::clamp(memory.number("misread").value_or(0), 0.0, 1e15));
    facts.example = memory.text("example").value_or("");
    facts.followed = follow(options, memory, [&](const std::string&, std::string_view line) {
      const auto ignored = [&](const Pattern::value_type& pattern) { return matches(*pattern, line); };
      if (line.empty() || std::any_of(config.ignore.begin(), config.ignore.end(), ignored)) return;
      const auto request = config.format.read(line);
      facts.classes[request ? static_cast<std::size_t>(request->status / 100) : 0] += 1;
      if (!request) return cannot_read(line);
      facts.misread = 0;
      const bool is_error = request->status >= config.error_from;
      window.add(*request, is_error);
      // Masked: what stands in a path may be somebody's token.
      if (is_error) failing.add(std::to_string(request->status) + " " + masked(request->request));
    });
    count_on();
    facts.requests = window.requests();
    facts.errors = window.errors();
    facts.p50 = window.quantile(0.5);
    facts.p95 = window.quantile(0.95);
    facts.p99 = window.quantile(0.99);
    facts.failing = failing.evidence(6);
    facts.followed.memory.set("misread", number(facts.misread));
    facts.followed.memory.set("example", facts.example);
    window.write(facts.followed.memory);
    failing.write(facts.followed.memory);
  }

 private:
  void cannot_read(std::string_view line) {
    facts.misread += 1;
    facts.example = masked(foreign_text(line.substr(0, line.find('?')), 120));
  }

  void count_on() {
    for (std::size_t i = 0; i < facts.classes.size(); ++i) {
      const std::string key = "class." + std::to_string(i);
      const double before = std::clamp(memory.number(key).value_or(0), 0.0, 1e15);
      facts.classes[i] += static_cast<std::uint64_t>(before);
      facts.followed.memory.set(key, static_cast<double>(facts.classes[i]));
    }
  }
};

std::string say_seconds(double seconds) { return say_duration(length_of(seconds)); }

std::string say_errors(const Config& config, const Facts& facts) {
  std::string text = say_number(number(facts.errors)) + " of " +
                     say_count(static_cast<std::int64_t>(facts.requests), "request") + " failed in " +
                     say_duration(config.window);
  if (!facts.failing.empty()) text += ", most often " + facts.failing.front().text;
  return text;
}

bool is_enough(const Config& config, const Facts& facts) {
  return facts.requests > 0 && facts.requests >= config.at_least;
}

void add_samples(const Config& config, const Facts& facts, std::vector<Sample>& samples) {
  if (is_enough(config, facts)) {
    samples.push_back({.name = "error_ratio",
                       .value = number(facts.errors) / number(facts.requests),
                       .says = say_errors(config, facts)});
  }
  samples.push_back({.name = "window_requests", .value = number(facts.requests)});
  const auto latency = [&](const char* name, const std::optional<double>& seconds) {
    if (seconds && is_enough(config, facts)) samples.push_back({.name = name, .value = *seconds});
  };
  latency("latency_p50", facts.p50);
  latency("latency_p95", facts.p95);
  latency("latency_p99", facts.p99);
  std::uint64_t requests = 0;
  for (std::size_t i = 1; i < facts.classes.size(); ++i) {
    requests += facts.classes[i];
    samples.push_back(
        {.name = "responses", .value = number(facts.classes[i]), .labels = {{"class", std::to_string(i) + "xx"}}});
  }
  samples.push_back({.name = "requests", .value = number(requests)});
  samples.push_back({.name = "unreadable", .value = number(facts.classes[0])});
  samples.push_back({.name = "gaps", .value = number(facts.followed.gaps.size())});
  samples.push_back({.name = "lag", .value = number(facts.followed.lag)});
}

Faults find_faults(const Config& config, const Facts& facts) {
  Faults faults;
  // A stray line is no reason to doubt the format; nothing else at all is.
  if (facts.misread >= 3 && facts.requests == 0) {
    faults.push_back(unmeasured("wrong_format",
                                "the last " + say_count(static_cast<std::int64_t>(facts.misread), "line") +
                                    " are not of the format " + foreign_text(config.format.text(), 60),
                                "set format: to what the server's log_format writes"));
  }
  add_unread(config.files, config.missing, facts.followed, faults);
  return faults;
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.files = read_log_files(in);
  config.format = in.optional("format", AccessFormatText{}, AccessFormatText{}.dummy(),
                              "How the lines are written: combined, json, or a regular expression with the groups "
                              "status, request_time, request (or method and path), such as (?P<status>\\d{3})");
  AccessFields fields;
  const bool has_fields = in.object(
      "fields", "Members of a JSON line, by name or as a path such as $.response.status", [&](config::Reader& nested) {
        const config::Text name{.longest = 256};
        fields.status = nested.optional("status", name, fields.status, "The status");
        fields.request_time =
            nested.optional("request_time", name, fields.request_time, "Seconds that the request took");
        fields.method = nested.optional("method", name, fields.method, "The method");
        fields.path =
            nested.optional("path", name, fields.path, "The path; what follows a question mark is never shown");
      });
  const config::ListOf<Pattern> patterns{.kind = {}, .single = true, .most = 32};
  config.ignore =
      in.optional("ignore", patterns, {}, "Lines not to count, such as those of health checks: regular expressions");
  config.error_from = static_cast<int>(in.optional("error_from", config::Integer{.smallest = 400, .largest = 599}, 500,
                                                   "The lowest status that is an error"));
  config.window =
      in.optional("window", config::Length{.shortest = std::chrono::seconds(20), .longest = std::chrono::hours(24)},
                  std::chrono::minutes(5), "The time that shares and latencies are taken over");
  config.at_least =
      static_cast<std::uint64_t>(in.optional("at_least", config::Integer{.smallest = 1, .largest = 1'000'000'000}, 100,
                                             "Requests in the window before they are judged"));
  const auto from =
      in.optional("from", config::OneOf{{"end", "start"}}, "end",
                  "Where the first run begins: with what is written from then on, or with all that is there");
  config.from_start = from == "start";
  config.missing = read_missing(in);
  if (has_fields && config.format.text() != "json") in.problem("fields", "only lines of the format json have fields");
  if (has_fields && config.format.text() == "json") {
    const auto set = config.format.set_fields(fields);
    if (!set) in.problem("fields", set.failure().what);
  }
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  const auto job = std::make_shared<Job>();
  job->config = config;
  job->options = follow_in(context, config.files);
  job->options.from_start = config.from_start;
  job->memory = Remembered::read(context.memory);
  context.phases.begin("read");
  std::function<void()> work = [job] { job->work(); };
  std::string key = config.target();
  co_await context.workers.run(std::move(key), std::move(work));
  context.phases.mark("read");
  co_return std::move(job->facts);
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  add_samples(config, facts, seen.samples);
  seen.summary = say_count(static_cast<std::int64_t>(facts.requests), "request") + " in " + say_duration(config.window);
  if (facts.errors > 0) seen.summary = say_errors(config, facts);
  if (facts.p95) seen.summary += ", 95 % below " + say_seconds(*facts.p95);
  seen.evidence = facts.failing;
  if (facts.misread > 0) {
    seen.evidence.push_back({"not understood", say_count(static_cast<std::int64_t>(facts.misread), "line") +
                                                   ", the last, with numbers as #: " + facts.example});
  }
  for (Evidence& each : reading_evidence(facts.followed)) seen.evidence.push_back(std::move(each));
  blame(find_faults(config, facts), seen, most_evidence);
  seen.memory = facts.followed.memory.written();
  return seen;
}

}  // namespace vitald::probes::access_log
