// pm2's frames, and the JSON in them: the first byte says in pieces of which size the rest comes.
#include "probes/wire/amp.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "probes/pm2_reply.hpp"
#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

constexpr std::size_t most = 4096;

struct Read {
  std::vector<std::string> messages;
  bool failed = false;
};

void look_at(const wire::AmpMessage& message) {
  must(message.size() > 0 && message.size() <= 15, "a message has 1 to 15 arguments");
  const auto json = message.json(0);
  if (!json) return;
  const auto processes = probes::pm2::read_reply(*json);
  must(processes || !processes.failure().what.empty(), "what is refused is refused in words");
  if (!processes) return;
  must(processes->size() <= json->size(), "no process comes from nothing");
  for (const auto& process : *processes) {
    must(process.status.size() <= 32 && process.name.size() <= 256, "a text is bounded");
    static_cast<void>(process.started());
  }
}

Read read(std::string_view bytes, std::size_t piece) {
  wire::AmpReader reader(most);
  Read seen;
  for (; !bytes.empty() && !seen.failed; bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader.feed(bytes.substr(0, piece));
    while (!seen.failed) {
      const auto message = reader.next();
      seen.failed = !message;
      if (seen.failed || !*message) break;
      look_at(**message);
      std::string all;
      for (std::size_t i = 0; i < (*message)->size(); ++i) all.append((*message)->argument(i)).append("|");
      must(all.size() <= most + 15, "a message is bounded");
      seen.messages.push_back(all);
    }
    must(seen.failed || reader.held() <= most + piece, "no more is held than one message and one piece");
  }
  return seen;
}

}  // namespace

void amp(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 32 * 1024) return;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read(bytes, bytes.size());
  const auto pieces = read(bytes, data[0] % 17 + 1u);
  must(whole.messages == pieces.messages, "the same messages in whatever pieces they come");
  must(whole.failed == pieces.failed, "the same end in whatever pieces it comes");
}

}  // namespace vitald::fuzz
