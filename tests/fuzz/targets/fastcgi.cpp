// FastCGI records and the CGI answer in them: the first byte says in pieces of which size the rest comes.
#include "probes/wire/fastcgi.hpp"

#include <algorithm>
#include <string>

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

constexpr wire::FastCgiLimits limits{.output_bytes = 512, .error_bytes = 32, .all_bytes = 2048};

struct Read {
  std::string output, errors;
  wire::FastCgiReader::End end{};
  bool failed = false;
};

Read read(std::string_view bytes, std::size_t piece) {
  wire::FastCgiReader reader(limits);
  bool failed = false;
  for (; !bytes.empty() && !failed; bytes.remove_prefix(std::min(piece, bytes.size()))) {
    const auto fed = reader.feed(bytes.substr(0, piece));
    failed = !fed;
    must(fed || !fed.failure().what.empty(), "what is refused is refused in words");
  }
  must(reader.output().size() <= limits.output_bytes, "the output is bounded");
  must(reader.errors().size() <= limits.error_bytes, "the errors are bounded");
  return {reader.output(), reader.errors(), reader.end(), failed};
}

}  // namespace

void fastcgi(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 1024) return;  // below all_bytes: a limit on pieces would be met at another place
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read(bytes, bytes.size());
  const auto pieces = read(bytes, data[0] % 17 + 1u);
  must(whole.failed == pieces.failed && whole.end == pieces.end, "the same end in whatever pieces it comes");
  must(whole.failed || (whole.output == pieces.output && whole.errors == pieces.errors), "the same content");
  const auto answer = wire::cgi_answer(whole.output);
  must(!answer || (answer->status >= 100 && answer->status <= 999), "a status has three digits");
  must(!answer || answer->body.size() < whole.output.size(), "a body is a part of the output");
}

}  // namespace vitald::fuzz
