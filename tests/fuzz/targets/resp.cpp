// RESP replies: the first byte says in pieces of which size the rest comes.
#include "probes/wire/resp.hpp"

#include <algorithm>
#include <string>

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

constexpr wire::RespLimits limits{.reply_bytes = 4096, .items = 200, .depth = 5};

struct Read {
  std::vector<std::string> replies;
  bool failed = false;
};

/// The tree as text, so that two can be compared; and its promises.
void show(const wire::RespReply& reply, int depth, std::size_t& items, std::string& text) {
  must(depth <= limits.depth, "no deeper than the limit");
  must(items <= limits.items, "no more items than the limit");
  text += std::to_string(static_cast<int>(reply.type)) + ":" + std::to_string(reply.integer) + ":" + reply.text + "[";
  items += reply.items.size();
  for (const auto& item : reply.items) show(item, depth + 1, items, text);
  text += "]";
}

Read read(std::string_view bytes, std::size_t piece) {
  wire::RespReader reader(limits);
  Read seen;
  for (; !bytes.empty() && !seen.failed; bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (!reader.feed(bytes.substr(0, piece))) seen.failed = true;
    while (!seen.failed) {
      const auto reply = reader.next();
      seen.failed = !reply;
      if (seen.failed || !*reply) break;
      std::size_t items = 0;
      show(**reply, 0, items, seen.replies.emplace_back());
      must(seen.replies.back().size() <= 32 * limits.reply_bytes, "no longer than the limit");
    }
  }
  must(!seen.failed || !reader.idle(), "a broken reader is never idle");
  return seen;
}

}  // namespace

void resp(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 32 * 1024) return;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read(bytes, bytes.size());
  const auto pieces = read(bytes, data[0] % 17 + 1u);
  must(whole.replies == pieces.replies, "the same replies in whatever pieces they come");
  must(whole.failed == pieces.failed, "the same end in whatever pieces it comes");
}

}  // namespace vitald::fuzz
