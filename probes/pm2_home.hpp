// Where a pm2 keeps its sockets: PM2_HOME, which is ~/.pm2 of whoever started it. All of it blocks: for a worker job.
#pragma once

#include <string>
#include <vector>

#include "probes/failure.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::pm2 {

struct Homes {
  std::vector<std::string> used;    // a pm2 has run there, and may run now
  std::vector<std::string> denied;  // folders that vitald may not look into
};

/// Looks at .pm2 in every home folder that /etc/passwd names, in those below /home, and in /root and /etc.
Homes look_for_homes(const Host& host);

/// The only one; throws ProbeFailure(unmeasured), no_pm2_seen or several_pm2, with the remedy.
std::string only_home(const Homes& homes);

/// What it means that nobody answers on `socket`, by pm2's pid file in the same folder. `why` is what connect() threw.
ProbeFailure explain_silence(const Host& host, const std::string& socket, const ProbeFailure& why);

}  // namespace vitald::probes::pm2
