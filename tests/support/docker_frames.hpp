// Frames of the Docker Engine's log stream.
#pragma once

#include <string>
#include <string_view>

namespace vitald::testing {

inline std::string docker_frame(int stream, std::string_view content) {
  std::string out{static_cast<char>(stream), '\0', '\0', '\0'};
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>((content.size() >> shift) & 0xff));
  return out.append(content);
}

}  // namespace vitald::testing
