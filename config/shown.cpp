#include "config/shown.hpp"

namespace vitald::config {
namespace {

constexpr std::size_t most = 40;

}  // namespace

std::string shown(std::string_view foreign) {
  std::size_t end = std::min(foreign.size(), most);
  while (end > 0 && end < foreign.size() && (static_cast<unsigned char>(foreign[end]) & 0xc0) == 0x80) --end;
  std::string text;
  for (const char c : foreign.substr(0, end)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return end < foreign.size() ? text + "…" : text;
}

std::string but_found(std::string_view foreign) { return ", found '" + shown(foreign) + "'"; }

}  // namespace vitald::config
