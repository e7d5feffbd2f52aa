// `console`: messages on the daemon's standard output, so that a first run shows alerts without any set-up.
#include <utility>

#include "alerting/notifiers/receivers.hpp"
#include "alerting/voice.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

/// SGR sequences (ECMA-48) for the first line.
std::string_view colour_of(const Notification& note) {
  if (note.kind == NotificationKind::recovery) return "\x1b[32m";
  switch (note.status) {
    case Status::critical:
      return "\x1b[1;31m";
    case Status::warning:
      return "\x1b[33m";
    case Status::unknown:
      return "\x1b[35m";
    case Status::ok:
      break;
  }
  return "\x1b[32m";
}

/// Every line but the first is set in, so that one message is one block among others.
std::string set_in(const std::string& text) {
  std::string block;
  for (std::size_t i = 0; i < text.size(); ++i) {
    block += text[i];
    if (text[i] == '\n' && i + 1 < text.size()) block += "  ";
  }
  return block;
}

class Console final : public Notifier {
 public:
  explicit Console(bool colour) : colour_(colour) {}

  Result<std::vector<Delivery>> render(const Notification& note, const Handle&, Form) const override {
    Message message = compose(note);
    if (colour_) message.headline = std::string(colour_of(note)) + message.headline + "\x1b[0m";
    const std::string text = say_time(note.at, true) + "  " + set_in(plain_text(message));
    return std::vector<Delivery>{ConsoleText{text}};
  }

  Judgement judge(const HttpReply&, const Now&) const override { return {}; }

 private:
  bool colour_;
};

}  // namespace

std::unique_ptr<const Notifier> parse_console(config::Reader& in) {
  const bool colour =
      in.optional("colour", config::Boolean{}, false, "Colour the first line of each message (ANSI terminals)");
  return std::make_unique<Console>(colour);
}

}  // namespace vitald::alerting
