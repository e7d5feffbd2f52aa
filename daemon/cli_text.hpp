// The pieces of what the command line prints for people. Pure: whether it is a terminal is found out by the caller.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace vitald::daemon {

struct Terminal {
  bool colours = false;
  std::size_t width = 100;  // columns; 0: never cut
};

/// Colours only on a terminal that has them, and not against NO_COLOR (no-color.org). `no_color` and `term` are the
/// environment's; main reads them.
Terminal terminal_of(int descriptor, std::string_view no_color, std::string_view term);

/// `text` in the colour of a verdict or standing ("critical" …).
std::string coloured(const Terminal& terminal, std::string_view verdict, std::string_view text);
std::string bold(const Terminal& terminal, std::string_view text);
std::string dim(const Terminal& terminal, std::string_view text);

/// Foreign text on one line: escape sequences, control, bidi and zero-width characters made harmless.
std::string plain(std::string_view foreign);
/// The same for a text of several lines, which it keeps.
std::string plain_lines(std::string_view foreign);
/// The text member `name` of `object` made plain, or "".
std::string text_of(const nlohmann::json& object, const char* name);
/// A text member of several lines, which stay lines.
std::string lines_of(const nlohmann::json& object, const char* name);
/// `text` with `indent` blanks before all of its lines but the first.
std::string hanging(std::string text, std::size_t indent);
/// "2026-11-21 02:13:41" of a member in RFC 3339, or "".
std::string short_time(const nlohmann::json& object, const char* name);
/// The same with " UTC".
std::string time_of(const nlohmann::json& object, const char* name);
/// The texts of a list member, the first fifty of them: "shop, blog and 3 more", or "".
std::string names_in(const nlohmann::json& object, const char* name);
/// The number member, or 0.
double number_of(const nlohmann::json& object, const char* name);

/// Columns that `text` takes: code points, which is right for all but the widest scripts.
std::size_t columns(std::string_view text);
/// Filled up with spaces to `width` columns.
std::string padded(std::string text, std::size_t width);
/// Cut to `width` columns with "…"; 0 leaves it.
std::string cut(std::string text, std::size_t width);

}  // namespace vitald::daemon
