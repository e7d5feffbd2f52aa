#include "daemon/cli_text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "alerting/name_list.hpp"
#include "alerting/voice.hpp"

namespace vitald::daemon {
namespace {

constexpr std::size_t longest_text = 2000;

std::string_view colour_of(std::string_view verdict) {
  if (verdict == "ok") return "\033[32m";
  if (verdict == "warning") return "\033[33m";
  if (verdict == "critical") return "\033[1;31m";
  if (verdict == "unknown") return "\033[35m";
  return "\033[2m";
}

std::string wrapped(const Terminal& terminal, std::string_view code, std::string_view text) {
  if (!terminal.colours) return std::string(text);
  return std::string(code) + std::string(text) + "\033[0m";
}

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

Terminal terminal_of(int descriptor, std::string_view no_color, std::string_view term) {
  Terminal terminal;
  if (::isatty(descriptor) == 0) {
    terminal.width = 0;
    return terminal;
  }
  terminal.colours = no_color.empty() && !term.empty() && term != "dumb";
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = size.ws_col;
  return terminal;
}

std::string coloured(const Terminal& terminal, std::string_view verdict, std::string_view text) {
  return wrapped(terminal, colour_of(verdict), text);
}
std::string bold(const Terminal& terminal, std::string_view text) { return wrapped(terminal, "\033[1m", text); }
std::string dim(const Terminal& terminal, std::string_view text) { return wrapped(terminal, "\033[2m", text); }

std::string plain(std::string_view foreign) {
  std::string text = alerting::clean(foreign, longest_text);
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

std::string plain_lines(std::string_view foreign) {
  std::string text;
  while (!foreign.empty()) {
    const std::size_t end = std::min(foreign.find('\n'), foreign.size());
    if (!text.empty()) text += '\n';
    text += plain(foreign.substr(0, end));
    foreign.remove_prefix(std::min(end + 1, foreign.size()));
  }
  return text;
}

std::string text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? plain(found->get_ref<const std::string&>()) : "";
}

std::string lines_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? plain_lines(found->get_ref<const std::string&>()) : "";
}

std::string hanging(std::string text, std::size_t indent) {
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    text.insert(at + 1, indent, ' ');
  }
  return text;
}

std::string names_in(const nlohmann::json& object, const char* name) {
  std::vector<std::string> names;
  for (const nlohmann::json& one : object.value(name, nlohmann::json::array())) {
    if (one.is_string()) names.push_back(plain(one.get<std::string>()));
  }
  return alerting::name_list(names, 50);
}

std::string short_time(const nlohmann::json& object, const char* name) {
  std::string at = text_of(object, name).substr(0, 19);
  std::replace(at.begin(), at.end(), 'T', ' ');
  return at;
}

std::string time_of(const nlohmann::json& object, const char* name) {
  const std::string at = short_time(object, name);
  return at.empty() ? at : at + " UTC";
}

double number_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += continues(byte) ? 0u : 1u;
  return count;
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t has = columns(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

std::string cut(std::string text, std::size_t width) {
  if (width == 0 || columns(text) <= width) return text;
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    if (continues(text[at])) continue;
    if (++seen == width) break;
  }
  text.resize(at);
  return text + "…";
}

}  // namespace vitald::daemon
