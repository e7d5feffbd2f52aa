// A log's bytes into lines, in pieces whose size the first byte tells, and each line as a web server's; and the same
// bytes as what is remembered of a log.
#include "probes/log_lines.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "probes/access_line.hpp"
#include "probes/log_position.hpp"
#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

using namespace vitald::probes;

struct Read {
  std::vector<std::string> lines;
  std::size_t pending = 0;
  bool skipping = false;
};

Read read(std::string_view bytes, std::size_t piece, bool skipping) {
  Read seen;
  LogLines lines([&](std::string_view line) { seen.lines.emplace_back(line); }, skipping);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) lines.feed(bytes.substr(0, piece));
  seen.pending = lines.pending();
  seen.skipping = lines.skipping();
  must(lines.rest().size() <= LogLines::longest_line, "no more is held than the longest line");
  return seen;
}

void look_at(const AccessFormat& format, std::string_view line) {
  const auto request = format.read(line);
  if (!request) return;
  must(request->status >= 100 && request->status < 600, "a status is one");
  must(request->request.size() <= 130, "a request is bounded");
  must(!request->seconds || *request->seconds >= 0, "no request took less than no time");
}

}  // namespace

void log_lines(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 256 * 1024) return;
  static const AccessFormat formats[] = {
      *AccessFormat::parse("combined"), *AccessFormat::parse("json"),
      *AccessFormat::parse("^(?P<method>\\S+) (?P<path>\\S+) (?P<status>\\d+) (?P<request_time>.*)$")};
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Read whole = read(bytes, bytes.size(), data[0] % 2 == 1);
  const Read pieces = read(bytes, data[0] / 2 * 300u + 1, data[0] % 2 == 1);
  must(whole.lines == pieces.lines, "the same lines in whatever pieces they come");
  must(whole.pending == pieces.pending && whole.skipping == pieces.skipping, "the same end in whatever pieces");
  for (const std::string& line : whole.lines) {
    must(line.size() <= LogLines::longest_line && line.find('\n') == std::string::npos, "a line is one, and bounded");
    for (const AccessFormat& format : formats) look_at(format, line);
  }
  const auto memory = parse_log_memory(bytes);
  if (memory) must(parse_log_memory(written(*memory)) == memory, "what is remembered is remembered");
}

}  // namespace vitald::fuzz
