// FastCGI records as an application sends them.
#pragma once

#include <string>
#include <string_view>

namespace vitald::testing::fastcgi {

inline std::string record(int type, std::string_view content, int padding = 0) {
  std::string out;
  for (const int byte :
       {1, type, 0, 1, static_cast<int>(content.size() >> 8), static_cast<int>(content.size() & 0xff), padding, 0})
    out.push_back(static_cast<char>(byte));
  // php-fpm pads with whatever lies in its memory.
  return out.append(content).append(static_cast<std::size_t>(padding), '\x5a');
}
inline std::string output(std::string_view content, int padding = 0) { return record(6, content, padding); }
inline std::string errors(std::string_view content) { return record(7, content); }
/// `status` is the protocolStatus.
inline std::string end(int status = 0) { return record(3, std::string(4, '\0') + static_cast<char>(status) + "age"); }

}  // namespace vitald::testing::fastcgi
