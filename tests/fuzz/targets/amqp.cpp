// AMQP frames and the messages in them: the first byte says in pieces of which size the rest comes.
#include "probes/wire/amqp.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

constexpr wire::AmqpLimits limits{.frame_bytes = 2048, .table_depth = 4, .table_fields = 40, .text_bytes = 64};

struct Read {
  std::vector<std::string> frames;
  bool failed = false;
};

/// A message's promises.
void look_at(const wire::AmqpMessage& message) {
  const auto bounded = [](const std::string& text) { must(text.size() <= limits.text_bytes, "a text is bounded"); };
  if (const auto* start = std::get_if<wire::AmqpStart>(&message)) {
    for (const auto* text : {&start->product, &start->version, &start->cluster_name, &start->mechanisms})
      bounded(*text);
    must(!start->offers(""), "no mechanism is none");
    must(!start->offers("PLAIN") || start->mechanisms.find("PLAIN") != std::string::npos, "what is offered was said");
  }
  if (const auto* close = std::get_if<wire::AmqpClose>(&message)) bounded(close->text);
  if (const auto* close = std::get_if<wire::AmqpChannelClose>(&message)) bounded(close->text);
  if (const auto* blocked = std::get_if<wire::AmqpBlocked>(&message)) bounded(blocked->why);
  if (const auto* declared = std::get_if<wire::AmqpDeclareOk>(&message)) bounded(declared->queue);
}

Read read(std::string_view bytes, std::size_t piece) {
  wire::AmqpReader reader(limits);
  Read seen;
  for (; !bytes.empty() && !seen.failed; bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader.feed(bytes.substr(0, piece));
    while (!seen.failed) {
      const auto frame = reader.next();
      seen.failed = !frame;
      if (seen.failed || !*frame) break;
      must((*frame)->payload.size() <= limits.frame_bytes, "a frame is bounded");
      must(reader.begun(), "a frame has come");
      must(!reader.wants(), "a frame is no protocol header");
      const auto message = wire::amqp_decode(**frame, limits);
      if (message) look_at(*message);
      must(message || !message.failure().what.empty(), "what is refused is refused in words");
      seen.frames.push_back(std::to_string(static_cast<int>((*frame)->type)) + ":" +
                            std::to_string((*frame)->channel) + ":" + (*frame)->payload);
    }
  }
  must(!seen.failed || !reader.rest().empty(), "what is no frame can be shown");
  must(reader.rest().size() <= limits.frame_bytes + 8 + piece, "no more is held than one frame and one piece");
  return seen;
}

}  // namespace

void amqp(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 32 * 1024) return;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read(bytes, bytes.size());
  const auto pieces = read(bytes, data[0] % 17 + 1u);
  must(whole.frames == pieces.frames, "the same frames in whatever pieces they come");
  must(whole.failed == pieces.failed, "the same end in whatever pieces it comes");
}

}  // namespace vitald::fuzz
