// A daemon of straw for the tests of what it shows: a board, incidents and answers that a test fills in.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/operations.hpp"

namespace vitald::daemon {

inline constexpr SampleSpec disk_samples[] = {
    {.name = "used", .unit = Unit::ratio, .help = "Share of the space that is used."},
    {.name = "free", .unit = Unit::bytes, .help = "Free space."},
    {.name = "resets", .kind = SampleKind::counter, .help = "Resets \\ so far."},
    {.name = "errors", .kind = SampleKind::event, .help = "New errors."},
};
inline const probes::ProbeKind disk_kind{.name = "disk", .title = "Disks", .samples = disk_samples, .make = nullptr};
inline const probes::ProbeKind http_kind{.name = "http", .title = "HTTP", .samples = {}, .make = nullptr};

inline Wall wall(std::int64_t seconds) { return Wall(std::chrono::seconds(seconds)); }
inline constexpr std::int64_t noon = 1795262400;  // 2026-11-21 12:00:00 UTC

inline BoardRow row(std::string check, Status verdict = Status::ok, std::string why = "200 in 38 ms") {
  BoardRow made;
  made.check = std::move(check);
  made.kind = &http_kind;
  made.every = std::chrono::seconds(30);
  made.observation.summary = why;
  made.observation.outcome = verdict == Status::unknown    ? Outcome::unmeasured
                             : verdict == Status::critical ? Outcome::wrong
                                                           : Outcome::answered;
  made.started = wall(noon - 10);
  made.took = std::chrono::milliseconds(38);
  made.runs = 7;
  made.view.verdict = verdict;
  made.view.settled = verdict;
  made.view.observed = true;
  made.view.why = std::move(why);
  return made;
}

struct FakeOperations : Operations {
  FakeOperations() {
    shown.instance = "web-1";
    shown.version = "0.1.0";
    shown.started = wall(noon - 3600);
    shown.now = wall(noon);
    shown.configuration = "/etc/vitald/vitald.yaml";
  }

  void add(BoardRow row) { rows.put(std::make_shared<const BoardRow>(std::move(row))); }

  DaemonView view() const override { return shown; }
  const Board& board() const override { return rows; }
  std::vector<alerting::IncidentView> incidents() const override { return open; }
  boost::asio::awaitable<Result<ExplainReport>> explain(std::string name) override {
    if (name != explained.explanation.subject) co_return Failure{"", "no check is named '" + name + "'"};
    co_return explained;
  }
  boost::asio::awaitable<Result<alerting::Story>> incident(std::string prefix) override {
    if (prefix.size() < 4 || !story.record.id.starts_with(prefix)) co_return Failure{"", "no incident begins so"};
    co_return story;
  }
  boost::asio::awaitable<Result<std::vector<alerting::IncidentRecord>>> history(HistoryQuery query) override {
    histories.push_back(query);
    co_return closed;
  }
  Instruments& instruments() override { return gauges; }
  bool ready() const override { return is_ready; }

  boost::asio::awaitable<Result<ProbeReport>> probe(std::string check) override {
    probed.push_back(check);
    const auto known = rows.find(check);
    if (known == nullptr) co_return Failure{check, "there is no such check"};
    ProbeReport report;
    report.check = check;
    report.probe = std::string(known->kind->name);
    report.verdict = known->view.verdict;
    report.why = known->view.why;
    report.observation = known->observation;
    report.took = known->took;
    co_return report;
  }
  Result<std::string> acknowledge(std::string_view incident, std::string by) override {
    if (incident != "k3v9") return Failure{"", "no open incident begins with " + std::string(incident)};
    return "k3v9 is taken by " + by;
  }
  Result<std::string> unacknowledge(std::string_view incident, std::string by) override {
    if (incident != "k3v9") return Failure{"", "no open incident begins with " + std::string(incident)};
    return "k3v9 was given back by " + by;
  }
  MutedView muted() const override { return hushed; }
  Result<alerting::SilenceView> silence(alerting::SilenceAdded wanted) override {
    asked = wanted;
    return alerting::SilenceView{"7k2m0000000000000000", wanted.checks.text(), wanted.owner,
                                 wanted.reason,          wall(noon),           wall(noon) + wanted.lasts,
                                 wanted.until_recovered};
  }
  Result<std::string> end_silence(std::string_view silence, std::string by) override {
    if (silence != "7k2m") return Failure{"", "no silence has an id that begins with '" + std::string(silence) + "'"};
    return "silence 7k2m was ended by " + by;
  }
  boost::asio::awaitable<Result<std::string>> test_notify(std::string receiver) override {
    if (receiver != "ops") co_return Failure{receiver, "there is no such receiver"};
    co_return std::string("ops took the test message");
  }
  boost::asio::awaitable<PingReply> ping(const std::string& check, const probes::Ping& ping) override {
    if (rows.find(check) == nullptr) co_return PingReply{404, "no check is named '" + check + "'", 0};
    pinged.emplace_back(check, ping);
    co_return ping_reply;
  }
  std::string outline() const override { return outlined; }
  boost::asio::awaitable<Result<std::string>> reload() override { co_return std::string("nothing changed"); }

  DaemonView shown;
  std::string outlined;
  Board rows;
  std::vector<alerting::IncidentView> open;
  ExplainReport explained;
  alerting::Story story;
  std::vector<alerting::IncidentRecord> closed;
  std::vector<HistoryQuery> histories;
  Instruments gauges;
  bool is_ready = true;
  MutedView hushed;
  alerting::SilenceAdded asked;
  std::vector<std::string> probed;
  std::vector<std::pair<std::string, probes::Ping>> pinged;
  PingReply ping_reply;
};

}  // namespace vitald::daemon
