// tls: the certificates that a server presents: whether clients will accept them, and for how long.
#pragma once

#include <array>
#include <string>

#include "config/now.hpp"
#include "probes/net/tls.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::tls {

struct Config {
  net::Target where;        // with TlsOptions that judge later: run() takes what it is given
  bool dates_only = false;  // insecure
  bool self_signed_allowed = false;

  std::string target() const { return where.text(); }
  /// The name that the certificate must bear.
  const std::string& name() const { return where.tls->server_name.empty() ? where.host : where.tls->server_name; }
};

struct Facts {
  net::TlsPeer proved;
  std::string peer;
  Wall now{};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "expires_in",
               .unit = Unit::seconds,
               .help = "Time until the certificate expires, negative afterwards, for each that was served (label "
                       "chain: leaf, 1, 2 …)",
               .lower_is_worse = true},
};
inline constexpr std::string_view default_limits = "{ expires_in: { warning: 21d, critical: 7d } }";

}  // namespace vitald::probes::tls
