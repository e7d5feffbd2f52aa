// What pm2 says, as bytes, for scripts.
#pragma once

#include <string>
#include <vector>

namespace vitald::testing {

inline std::string amp_message(const std::vector<std::string>& arguments) {
  std::string bytes(1, static_cast<char>(0x10 | arguments.size()));
  for (const std::string& argument : arguments) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(argument.size() >> shift & 0xff);
    bytes += argument;
  }
  return bytes;
}

/// A reply to getMonitorData with these processes.
inline std::string pm2_reply(const std::string& processes) {
  return amp_message({R"(j:{"args":[[)" + processes + "]]}", "s:v:0"});
}

}  // namespace vitald::testing
