// tcp: something accepts connections there and, if asked, says what it should.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "probes/options.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::tcp {

struct Config {
  net::Target where;
  std::string send;                                // raw bytes, after the connection stands; "": nothing
  std::string expect;                              // "": whatever comes
  std::shared_ptr<const re2::RE2> expect_matches;  // nullptr: no pattern

  std::string target() const { return where.text(); }
  bool expects() const { return !expect.empty() || expect_matches != nullptr; }
};

struct Facts {
  std::string peer;
  std::string received;
  bool found = false;   // what was expected is in `received`
  bool closed = false;  // by the peer
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::span<const SampleSpec> samples{};

}  // namespace vitald::probes::tcp
