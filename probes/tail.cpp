#include "probes/tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "probes/foreign_text.hpp"

namespace vitald::probes {
namespace {

constexpr off_t most_read = 64 * 1024;
constexpr std::size_t longest_line = 200;

/// The last bytes of the open file, at most `most_read`.
std::string end_of(int file) {
  struct stat status {};
  // A FIFO or a device may block for ever, or do something when it is read.
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return "";
  const off_t from = std::max<off_t>(status.st_size - most_read, 0);
  std::string text(static_cast<std::size_t>(status.st_size - from), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = pread(file, text.data() + filled, text.size() - filled, from + static_cast<off_t>(filled));
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

std::string last_lines(const std::string& path, std::size_t lines) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return "";
  const std::string text = end_of(file);
  close(file);
  return last_lines_of(text, lines);
}

std::string last_lines_of(std::string_view text, std::size_t lines) {
  std::vector<std::string> found;  // newest first
  while (!text.empty() && found.size() < lines) {
    const std::size_t before = text.rfind('\n');
    std::string_view line = before == std::string_view::npos ? text : text.substr(before + 1);
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (!is_blank(line)) found.push_back(foreign_text(line, longest_line));
    text = before == std::string_view::npos ? "" : text.substr(0, before);
  }
  std::string joined;
  for (auto line = found.rbegin(); line != found.rend(); ++line) joined += (joined.empty() ? "" : "\n") + *line;
  return joined;
}

}  // namespace vitald::probes
