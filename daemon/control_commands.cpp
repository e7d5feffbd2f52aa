#include "daemon/control_commands.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "alerting/voice.hpp"
#include "config/units.hpp"
#include "daemon/api.hpp"
#include "daemon/api_incidents.hpp"
#include "daemon/control_silences.hpp"
#include "daemon/control_verify.hpp"

namespace vitald::daemon {
namespace {

using boost::asio::awaitable;
using nlohmann::json;

constexpr std::size_t slice = 32 * 1024;
constexpr std::size_t longest_name = 256;

std::string result_line(const json& result) { return R"({"result":)" + dump(result) + "}\n"; }
std::string error_line(const std::string& sentence) { return R"({"error":)" + dump(sentence) + "}\n"; }

/// What one command may use.
struct Order {
  const json& request;
  std::string by;
  std::size_t verify_width;
  Operations& operations;
  ControlLines& lines;

  /// A text member of the request, or "".
  std::string text(const char* name) const {
    const auto found = request.find(name);
    if (found == request.end() || !found->is_string()) return "";
    return alerting::clean(found->get<std::string>(), longest_name);
  }
  /// In whose name: what the request says, or the peer.
  std::string who() const {
    const std::string said = text("by");
    return said.empty() ? by : said;
  }
};

awaitable<void> finish(const Order& order, const Result<std::string>& outcome) {
  std::string line;
  if (outcome) {
    json result = json::object();
    result["text"] = *outcome;
    line = result_line(result);
  } else {
    line = error_line(outcome.failure().sentence());
  }
  co_await order.lines.write(std::move(line));
}

json incidents_json(const Operations& operations) {
  json list = json::array();
  for (const auto& view : operations.incidents()) list.push_back(json_of(view, operations.board()));
  return list;
}

awaitable<void> status(const Order& order) {
  const Board::Rows rows = order.operations.board().rows();
  std::string out;
  for (const auto& row : rows) {
    out += R"({"progress":{"check":)" + dump(json_of(*row)) + "}}\n";
    if (out.size() < slice) continue;
    const bool there = co_await order.lines.write(std::exchange(out, std::string()));
    if (!there) co_return;
  }
  json result = json::object();
  result["daemon"] = json_of(order.operations.view());
  result["incidents"] = incidents_json(order.operations);
  result.update(json_of(order.operations.muted()));
  out += result_line(result);
  co_await order.lines.write(std::move(out));
}

awaitable<void> probe(const Order& order) {
  const std::string check = order.text("check");
  const auto report = co_await order.operations.probe(check);
  const std::string line = report ? result_line(json_of(*report)) : error_line(report.failure().sentence());
  co_await order.lines.write(line);
}

awaitable<void> verify(const Order& order) {
  co_await verify_checks(order.operations, order.lines, order.verify_width);
}

awaitable<void> incidents(const Order& order) {
  json result = json::object();
  result["incidents"] = incidents_json(order.operations);
  result["time"] = json_of(order.operations.view())["time"];
  if (order.request.contains("since")) {
    const auto since = parse_duration(order.text("since"));
    if (!since) {
      const std::string wrong = error_line("'since': " + since.failure().what);
      co_await order.lines.write(wrong);
      co_return;
    }
    HistoryQuery query;
    query.since = order.operations.view().now - *since;
    const auto closed = co_await order.operations.history(std::move(query));
    if (!closed) {
      const std::string wrong = error_line(closed.failure().sentence());
      co_await order.lines.write(wrong);
      co_return;
    }
    result["closed"] = json::array();
    for (const auto& record : *closed) result["closed"].push_back(json_of(record));
  }
  const std::string line = result_line(result);
  co_await order.lines.write(line);
}

awaitable<void> incident(const Order& order) {
  const auto story = co_await order.operations.incident(order.text("incident"));
  const std::string line = story ? result_line(json_of(*story)) : error_line(story.failure().sentence());
  co_await order.lines.write(line);
}

awaitable<void> report(const Order& order) {
  const auto story = co_await order.operations.incident(order.text("incident"));
  Result<std::string> text = Failure{"", ""};
  if (story) text = alerting::report_of(*story, order.operations.view().now);
  if (!story) text = story.failure();
  co_await finish(order, text);
}

awaitable<void> explain(const Order& order) {
  const auto report = co_await order.operations.explain(order.text("name"));
  const std::string line = report ? result_line(json_of(*report)) : error_line(report.failure().sentence());
  co_await order.lines.write(line);
}

awaitable<void> acknowledge(const Order& order) {
  const auto outcome = order.operations.acknowledge(order.text("incident"), order.who());
  co_await finish(order, outcome);
}

awaitable<void> unacknowledge(const Order& order) {
  const auto outcome = order.operations.unacknowledge(order.text("incident"), order.who());
  co_await finish(order, outcome);
}

awaitable<void> silences(const Order& order) {
  json result = json_of(order.operations.muted());
  result["time"] = json_of(order.operations.view())["time"];
  const std::string line = result_line(result);
  co_await order.lines.write(line);
}

awaitable<void> silence(const Order& order) {
  std::string line;
  const auto wanted = silence_from(order.request, order.who());
  if (wanted) {
    const auto made = order.operations.silence(*wanted);
    line = made ? result_line(json_of(*made)) : error_line(made.failure().sentence());
  } else {
    line = error_line(wanted.failure().sentence());
  }
  co_await order.lines.write(line);
}

awaitable<void> end_silence(const Order& order) {
  const auto outcome = order.operations.end_silence(order.text("silence"), order.who());
  co_await finish(order, outcome);
}

awaitable<void> test_notify(const Order& order) {
  const std::string receiver = order.text("receiver");
  const auto outcome = co_await order.operations.test_notify(receiver);
  co_await finish(order, outcome);
}

/// What is in force, in pieces: of 10,000 checks it is megabytes.
awaitable<void> configuration(const Order& order) {
  const std::string lines = order.operations.outline();
  std::string out;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    out += R"({"progress":)" + lines.substr(at, end - at) + "}\n";
    at = end + 1;
    if (out.size() < slice) continue;
    const bool there = co_await order.lines.write(std::exchange(out, std::string()));
    if (!there) co_return;
  }
  const json view = json_of(order.operations.view());
  out += result_line({{"configuration", view["configuration"]}, {"time", view["time"]}});
  co_await order.lines.write(std::move(out));
}

awaitable<void> reload(const Order& order) {
  const auto outcome = co_await order.operations.reload();
  co_await finish(order, outcome);
}

struct Command {
  std::string_view name;
  const char* needs;  // a text member that must be there, or nullptr
  awaitable<void> (*run)(const Order&);
};

constexpr std::array commands = {
    Command{"status", nullptr, status},
    Command{"probe", "check", probe},
    Command{"verify", nullptr, verify},
    Command{"incidents", nullptr, incidents},
    Command{"ack", "incident", acknowledge},
    Command{"test-notify", "receiver", test_notify},
    Command{"reload", nullptr, reload},
    Command{"unack", "incident", unacknowledge},
    Command{"silence", "reason", silence},
    Command{"end-silence", "silence", end_silence},
    Command{"silences", nullptr, silences},
    Command{"incident", "incident", incident},
    Command{"report", "incident", report},
    Command{"explain", "name", explain},
    Command{"configuration", nullptr, configuration},
};

const Command* find_command(std::string_view name) {
  for (const Command& command : commands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

/// The bound on the depth keeps a request of nothing but brackets from using up the stack.
std::optional<json> parse_request(const std::string& text) {
  constexpr int deepest = 8;
  const auto keep = [](int depth, json::parse_event_t, json&) { return depth <= deepest; };
  json request = json::parse(text, keep, false);
  if (!request.is_object()) return std::nullopt;
  return request;
}

}  // namespace

awaitable<void> answer_command(std::string request, std::string by, std::size_t verify_width, Operations& operations,
                               ControlLines& lines) {
  const auto parsed = parse_request(request);
  std::string wrong;
  const Command* command = nullptr;
  const json nothing = json::object();
  const Order order{parsed ? *parsed : nothing, std::move(by), verify_width, operations, lines};
  if (!parsed) {
    wrong = "the request is not a JSON object on one line";
  } else if (command = find_command(order.text("command")); command == nullptr) {
    wrong = "there is no command '" + order.text("command") + "'; is the daemon older than the command line?";
  } else if (command->needs != nullptr && order.text(command->needs).empty()) {
    wrong = "the command '" + std::string(command->name) + "' needs '" + command->needs + "'";
  }
  if (!wrong.empty()) {
    const std::string line = error_line(wrong);
    co_await lines.write(line);
    co_return;
  }
  co_await command->run(order);
}

}  // namespace vitald::daemon
