#include "daemon/control_verify.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "daemon/api.hpp"

namespace vitald::daemon {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

constexpr auto plainly = asio::as_tuple(asio::use_awaitable);

/// Shared between the command and the runs that it started, which may outlast it when the client goes away.
struct Round {
  Round(asio::any_io_executor loop, Operations& operations_) : operations(operations_), news(loop) {
    news.expires_at(asio::steady_timer::time_point::max());
  }

  Operations& operations;
  asio::steady_timer news;  // never expires: cancelled when there is something to tell
  std::vector<std::string> checks;
  std::size_t next = 0;
  std::size_t lanes = 0;
  std::deque<json> finished;
  std::array<std::size_t, 4> counts{};  // by Status
  Status worst = Status::ok;

  void add(const std::string& check, const Result<ProbeReport>& report);
};

void Round::add(const std::string& check, const Result<ProbeReport>& report) {
  const Status verdict = report ? report->verdict : Status::unknown;
  ++counts[static_cast<std::size_t>(verdict)];
  worst = worse(worst, verdict);
  if (report) {
    finished.push_back(json_of(*report));
  } else {
    json lost = json::object();
    lost["check"] = check;
    lost["verdict"] = "unknown";
    lost["why"] = report.failure().sentence();
    finished.push_back(std::move(lost));
  }
  news.cancel();
}

asio::awaitable<void> lane(std::shared_ptr<Round> round) {
  while (round->next < round->checks.size()) {
    const std::string check = round->checks[round->next++];
    const auto report = co_await round->operations.probe(check);
    round->add(check, report);
  }
}

void start_lanes(const std::shared_ptr<Round>& round, const asio::any_io_executor& loop, std::size_t width) {
  round->lanes = std::min(width, round->checks.size());
  for (std::size_t i = 0, all = round->lanes; i < all; ++i) {
    asio::co_spawn(loop, lane(round), [round](const std::exception_ptr&) {
      --round->lanes;
      round->news.cancel();
    });
  }
}

std::string progress_lines(Round& round, std::size_t& told) {
  std::string lines;
  while (!round.finished.empty()) {
    json progress = json::object();
    progress["report"] = std::move(round.finished.front());
    progress["done"] = ++told;
    progress["total"] = round.checks.size();
    round.finished.pop_front();
    lines += R"({"progress":)" + dump(progress) + "}\n";
  }
  return lines;
}

std::string summary_line(const Round& round) {
  json result = json::object();
  result["verdict"] = to_string(round.worst);
  result["total"] = round.checks.size();
  for (const Status status : {Status::ok, Status::warning, Status::critical, Status::unknown}) {
    result[std::string(to_string(status))] = round.counts[static_cast<std::size_t>(status)];
  }
  return R"({"result":)" + dump(result) + "}\n";
}

}  // namespace

asio::awaitable<void> verify_checks(Operations& operations, ControlLines& lines, std::size_t width) {
  const auto loop = co_await asio::this_coro::executor;
  const auto round = std::make_shared<Round>(loop, operations);
  for (const auto& row : operations.board().rows()) round->checks.push_back(row->check);
  start_lanes(round, loop, width);
  std::size_t told = 0;
  while (told < round->checks.size()) {
    if (round->finished.empty()) {
      if (round->lanes == 0) break;  // a lane ended by an exception: what is left will not come
      co_await round->news.async_wait(plainly);
      continue;
    }
    const std::string progress = progress_lines(*round, told);
    const bool there = co_await lines.write(progress);
    if (!there) {
      round->next = round->checks.size();  // start nothing more
      co_return;
    }
  }
  const std::string summary = summary_line(*round);
  co_await lines.write(summary);
}

}  // namespace vitald::daemon
