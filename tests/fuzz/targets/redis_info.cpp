// The text that INFO is answered with.
#include "probes/redis_info.hpp"

#include <cmath>

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {

void redis_info(const std::uint8_t* data, std::size_t size) {
  const auto info = probes::redis::Info::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  for (const auto* key : {"uptime_in_seconds", "used_memory", "mem_fragmentation_ratio", "a", ""}) {
    const auto number = info.number(key);
    must(!number || std::isfinite(*number), "a number is finite");
    const auto amount = info.amount(key);
    must(!amount || *amount >= 0, "an amount is not negative");
    must(info.text(key).size() <= 512, "a line is bounded");
  }
  const auto replicas = info.replicas();
  must(replicas.size() <= 25, "replicas are bounded");
  for (const auto& replica : replicas) {
    must(replica.name.size() <= 100 && replica.state.size() <= 100, "names are bounded");
    must(replica.name.find('\x1b') == std::string::npos, "names are fit to show");
    must(!replica.lag_seconds || std::isfinite(*replica.lag_seconds), "a lag is finite");
  }
}

}  // namespace vitald::fuzz
