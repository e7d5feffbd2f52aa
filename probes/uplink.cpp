#include "probes/uplink.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <memory>
#include <optional>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/options.hpp"
#include "probes/proc_text.hpp"

namespace vitald::probes::uplink {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t most_anchors = 8;
constexpr std::size_t most_routes = 16;
constexpr std::uint32_t route_is_up = 0x1;       // RTF_UP
constexpr std::uint32_t route_rejects = 0x200;   // RTF_REJECT
constexpr Duration before_the_deadline = 200ms;  // so that the run ends with an answer of its own

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool leads_out(std::string_view interface, std::string_view flags) {
  const auto bits = hexadecimal(flags);
  return interface != "lo" && bits && (*bits & route_is_up) != 0 && (*bits & route_rejects) == 0;
}

bool all_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

void look_at_link(const Host& host, Route& route) {
  // A name as the kernel allows it has no slash; no file, or one that cannot be read, says nothing.
  if (route.interface.find('/') != std::string::npos) return;
  const auto carrier = count_if_there(host, "/sys/class/net/" + route.interface + "/carrier");
  route.link = !carrier || *carrier != 0;
}

/// One question to each anchor, all at once. What is still out when the run ends is ended with it.
struct Asking {
  struct One {
    Answer answer;
    asio::cancellation_signal kill;
    bool done = false;
  };
  explicit Asking(const asio::any_io_executor& loop) : wake(loop) {}

  bool all_done() const {
    return std::all_of(each.begin(), each.end(), [](const auto& one) { return one->done; });
  }
  void end() {
    for (const auto& one : each) one->kill.emit(asio::cancellation_type::terminal);
  }

  asio::steady_timer wake;
  std::vector<std::unique_ptr<One>> each;
};

/// Ends the questions when the run is over, however that comes about.
struct Ending {
  explicit Ending(std::shared_ptr<Asking> given) : asking(std::move(given)) {}
  Ending(const Ending&) = delete;
  ~Ending() { asking->end(); }
  std::shared_ptr<Asking> asking;
};

void note_failure(Answer& answer, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const ProbeFailure& refusal) {
    answer.alive = refusal.reason == "connect_refused";
    answer.words = answer.alive ? "refuses connections, so it is there" : foreign_text(refusal.what(), 120);
  } catch (const std::exception&) {
    answer.words = "no answer";
  }
}

awaitable<void> ask(net::Network& network, net::Target anchor, const Clock& clock) {
  net::PhaseLog phases(clock);
  const auto stream = co_await network.connect(anchor, phases);
}

awaitable<std::vector<Answer>> ask_all(ProbeContext& context, const Config& config) {
  const auto loop = co_await asio::this_coro::executor;
  const auto asking = std::make_shared<Asking>(loop);
  const Ending ending(asking);
  for (const net::Target& anchor : config.anchors) {
    auto& one = *asking->each.emplace_back(std::make_unique<Asking::One>());
    one.answer = {.anchor = anchor.text(), .words = "no answer within " + say_duration(config.wait)};
  }
  for (std::size_t at = 0; at < config.anchors.size(); ++at) {
    auto& one = *asking->each[at];
    const auto done = [asking, at](const std::exception_ptr& failure) {
      Asking::One& answered = *asking->each[at];
      answered.done = true;
      answered.answer.alive = failure == nullptr;
      answered.answer.words = "accepts connections";
      if (failure) note_failure(answered.answer, failure);
      asking->wake.cancel();
    };
    asio::co_spawn(loop, ask(context.network, config.anchors[at], context.clock),
                   asio::bind_cancellation_slot(one.kill.slot(), done));
  }
  const Duration left = context.deadline - context.clock.now().steady - before_the_deadline;
  const auto end = std::chrono::steady_clock::duration(std::clamp(left, Duration(10ms), config.wait));
  asking->wake.expires_after(end);
  const auto until = asking->wake.expiry();
  bool in_time = true;
  while (in_time && !asking->all_done()) {
    asking->wake.expires_at(until);
    boost::system::error_code woken;
    co_await asking->wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    in_time = woken == asio::error::operation_aborted;
  }
  std::vector<Answer> answers;
  for (const auto& one : asking->each) answers.push_back(one->answer);
  co_return answers;
}

std::string describe(const Route& route) {
  return route.interface + (route.gateway.empty() ? "" : " via " + route.gateway);
}

std::string named(const std::vector<Answer>& answers) {
  std::string names;
  for (const Answer& answer : answers) names += (names.empty() ? "" : ", ") + answer.anchor;
  return names;
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.anchors = in.optional("anchors", config::ListOf<HostPort>{.kind = {}, .most = most_anchors}, {},
                               "Hosts and ports out there, independent of each other: one that answers is enough");
  config.wait = in.optional("wait", config::Length{100ms, 1min}, 2s, "How long they have to answer");
  return config;
}

std::vector<Route> parse_routes(std::string_view table) {
  // Iface Destination Gateway Flags RefCnt Use Metric Mask …, addresses in the host's order: "0101A8C0" is 192.168.1.1.
  std::vector<Route> routes;
  while (!table.empty()) {
    const auto words = words_of(take_line(table));
    if (words.size() < 8 || !all_zero(words[1]) || !all_zero(words[7]) || !leads_out(words[0], words[3])) continue;
    const auto gateway = hexadecimal(words[2]);
    if (!gateway) continue;
    Route& route = routes.emplace_back();
    route.interface = foreign_text(words[0], 15);
    if (*gateway != 0) {
      for (int shift = 0; shift < 32; shift += 8) {
        route.gateway += (shift == 0 ? "" : ".") + std::to_string(*gateway >> shift & 0xFF);
      }
    }
    if (routes.size() == most_routes) break;
  }
  return routes;
}

std::vector<Route> parse_ipv6_routes(std::string_view table) {
  // destination, length of its prefix, source, length, next hop, metric, references, use, flags, interface
  std::vector<Route> routes;
  while (!table.empty()) {
    const auto words = words_of(take_line(table));
    if (words.size() < 10 || !all_zero(words[0]) || !all_zero(words[1]) || !leads_out(words[9], words[8])) continue;
    Route& route = routes.emplace_back();
    route.interface = foreign_text(words[9], 15);
    for (std::size_t at = 0; !all_zero(words[4]) && at + 4 <= words[4].size(); at += 4) {
      route.gateway += (at == 0 ? "" : ":") + std::string(words[4].substr(at, 4));
    }
    if (routes.size() == most_routes) break;
  }
  return routes;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.routes = parse_routes(read_if_there(context.host, "/proc/net/route").value_or(""));
  for (Route& route : parse_ipv6_routes(read_if_there(context.host, "/proc/net/ipv6_route").value_or(""))) {
    facts.routes.push_back(std::move(route));
  }
  for (Route& route : facts.routes) look_at_link(context.host, route);
  const bool out = std::any_of(facts.routes.begin(), facts.routes.end(), [](const Route& route) { return route.link; });
  if (!out || config.anchors.empty()) co_return facts;
  context.phases.begin("anchors");
  facts.answers = co_await ask_all(context, config);
  context.phases.mark("anchors");
  co_return facts;
}

Observation judge(const Config&, const Facts& facts) {
  Observation seen;
  double linked = 0;
  const Route* first = nullptr;
  for (const Route& route : facts.routes) {
    if (route.link) linked += 1;
    if (route.link && first == nullptr) first = &route;
    seen.evidence.push_back({route.interface, describe(route) + (route.link ? "" : ", no link")});
  }
  double answering = 0;
  for (const Answer& answer : facts.answers) {
    answering += answer.alive ? 1 : 0;
    seen.evidence.push_back({answer.anchor, answer.words});
  }
  seen.samples.push_back({.name = "routes", .value = linked});
  const auto asked = static_cast<double>(facts.answers.size());
  if (asked > 0) seen.samples.push_back({.name = "answering", .value = answering, .maximum = asked});
  if (facts.routes.empty()) {
    blame(wrong("no_default_route", "there is no default route", "see what there is: ip route; ip -6 route"), seen);
  } else if (first == nullptr) {
    const std::string& name = facts.routes.front().interface;
    blame(wrong("no_link", name + ", which the default route needs, has no link",
                "look at the cable and the switch port; ethtool " + name + " tells what the card sees"),
          seen);
  } else if (asked > 0 && answering == 0) {
    const std::string all = facts.answers.size() == 1 ? "the anchor does not answer: " : "no anchor answers: ";
    blame(refused("anchors_silent", all + named(facts.answers), "look at what is behind " + describe(*first)), seen);
  } else {
    seen.summary = describe(*first);
    if (asked > 0) seen.summary += ", " + say_number(answering) + " of " + say_number(asked) + " anchors answer";
  }
  return seen;
}

}  // namespace vitald::probes::uplink
