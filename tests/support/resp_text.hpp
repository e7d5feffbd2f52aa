// What Redis writes, for scripts.
#pragma once

#include <string>
#include <vector>

namespace vitald::testing {

inline std::string resp_integer(long long value) { return ":" + std::to_string(value) + "\r\n"; }
inline std::string resp_bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}
inline std::string resp_nil() { return "$-1\r\n"; }
/// Of replies that are written already.
inline std::string resp_array(const std::vector<std::string>& items) {
  std::string text = "*" + std::to_string(items.size()) + "\r\n";
  for (const auto& item : items) text += item;
  return text;
}
/// Of bulk strings.
inline std::string resp_texts(const std::vector<std::string>& items) {
  std::vector<std::string> bulks;
  for (const auto& item : items) bulks.push_back(resp_bulk(item));
  return resp_array(bulks);
}

}  // namespace vitald::testing
