#include "probes/tcp.hpp"

#include "config/units.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes::tcp {
namespace {

constexpr std::size_t most_bytes = 64 * 1024;
// The pattern looks at all that came each time more comes; so a peer that dribbles byte by byte must be stopped early.
constexpr int most_pieces = 1024;

bool is_there(const Config& config, const std::string& received) {
  if (config.expect_matches && !matches(*config.expect_matches, received)) return false;
  return received.find(config.expect) != std::string::npos;
}

std::string wanted(const Config& config) {
  return config.expect.empty() ? "a match of " + foreign_text(pattern_text(*config.expect_matches))
                               : "'" + foreign_text(config.expect) + "'";
}

std::string first_line(const std::string& received) {
  return foreign_text(received.substr(0, received.find_first_of("\r\n")));
}

awaitable<void> listen(net::Stream& stream, ProbeContext& context, const Config& config, Facts& facts) {
  context.phases.begin("first_byte");
  std::string piece(4096, '\0');
  for (int pieces = 0; pieces < most_pieces && facts.received.size() < most_bytes && !facts.found; ++pieces) {
    const auto size = co_await stream.read_some(piece);
    if (size == 0) {
      facts.closed = true;
      break;
    }
    if (pieces == 0) context.phases.mark("first_byte");
    facts.received.append(piece, 0, size);
    facts.found = is_there(config, facts.received);
  }
  context.phases.mark("rest");
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.where = read_target(in, {.address = "Host and port to connect to",
                                  .socket = "Path of a Unix socket to connect to instead",
                                  .tls = "Speak TLS: `true`, or a mapping of the options below"});
  config.send = in.optional("send", EscapedText{}, "", "Bytes to send once the connection stands");
  config.expect = in.optional("expect", EscapedText{}, "", "Bytes that the answer must contain");
  config.expect_matches = in.maybe("expect_matches", Pattern{}, "Pattern that the answer must match").value_or(nullptr);
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  const auto stream = co_await context.network.connect(config.where, context.phases);
  facts.peer = stream->peer();
  if (!config.send.empty()) {
    context.phases.begin("send");
    co_await stream->write(config.send);
    context.phases.mark("send");
  }
  if (config.expects()) co_await listen(*stream, context, config, facts);
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  seen.evidence.push_back({"address", facts.peer});
  if (!config.expects()) {
    seen.summary = "accepts connections";
    return seen;
  }
  if (!facts.received.empty()) seen.evidence.push_back({"answer", foreign_text(facts.received, 200)});
  if (facts.found) {
    seen.summary = "answered '" + first_line(facts.received) + "'";
    return seen;
  }
  seen.outcome = Outcome::wrong;
  if (facts.received.empty()) {
    seen.reason = "closed_early";
    seen.summary = "closed the connection without a word instead of " + wanted(config);
  } else {
    seen.reason = "wrong_answer";
    seen.summary = "answered '" + first_line(facts.received) + "' instead of " + wanted(config);
    if (!facts.closed) seen.summary += " within the first " + say_bytes(static_cast<double>(facts.received.size()));
  }
  return seen;
}

}  // namespace vitald::probes::tcp
