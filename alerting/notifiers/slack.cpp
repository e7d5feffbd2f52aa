// `slack`: an incoming webhook of Slack, whose whole address is the secret. Block Kit with a coloured bar; limits and
// answers as Slack's pages on incoming webhooks and block kit give them.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "alerting/notifiers/receivers.hpp"
#include "alerting/notifiers/text.hpp"
#include "alerting/voice.hpp"

namespace vitald::alerting {
namespace {

using nlohmann::ordered_json;

// In characters after escaping. Slack allows 150 for a header, 3000 for a section, 2000 for a field, 10 fields and 50
// blocks; the sums below also stay under the 13,000 or so of all blocks together, beyond which it says
// msg_blocks_too_long.
constexpr std::size_t longest_header = 150;
constexpr std::size_t longest_text = 1000;
constexpr std::size_t longest_section = 2500;
constexpr std::size_t longest_field = 600;
constexpr std::size_t longest_label = 60;
constexpr std::size_t longest_trimmed = 800;
constexpr std::size_t longest_minimal = 400;
constexpr std::size_t most_quoted = 4;
constexpr std::size_t most_fields = 10;

struct Settings {
  Secret webhook;
  Headers mention;  // severity to whom: "P0" -> "here"
  std::string ca_file;
};

/// `text` (valid UTF-8) with & < > as Slack wants them, at most `most` characters: cut after escaping, between
/// characters and never inside an entity.
std::string escaped(std::string_view text, std::size_t most) {
  std::string out;
  std::size_t length = 0, room = 0;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t bytes = 1;
    while (i + bytes < text.size() && (static_cast<unsigned char>(text[i + bytes]) & 0xC0) == 0x80) ++bytes;
    const char c = text[i];
    const std::string piece(c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : text.substr(i, bytes));
    const std::size_t characters = bytes == 1 ? piece.size() : 1;
    if (length + characters > most) return out.substr(0, room) + "\xE2\x80\xA6";
    out += piece;
    length += characters;
    if (length < most) room = out.size();
    i += bytes;
  }
  return out;
}

ordered_json plain(std::string_view text, std::size_t most) {
  return {{"type", "plain_text"}, {"text", escaped(text, most)}, {"emoji", false}};
}

/// `verbatim`: Slack shall not look for addresses, channels or names in it.
ordered_json markdown(std::string text) { return {{"type", "mrkdwn"}, {"text", std::move(text)}, {"verbatim", true}}; }

ordered_json section(ordered_json text) { return {{"type", "section"}, {"text", std::move(text)}}; }

std::string_view colour_of(const Notification& note) {
  if (note.kind == NotificationKind::recovery) return "#2e7d32";
  if (note.kind == NotificationKind::digest) return "#1565c0";
  switch (note.status) {
    case Status::critical:
      return "#c62828";
    case Status::warning:
      return "#f9a825";
    case Status::unknown:
      return "#757575";
    case Status::ok:
      break;
  }
  return "#2e7d32";
}

std::string lines(const std::vector<std::string>& facts) {
  std::string text;
  for (const std::string& fact : facts) text += (text.empty() ? "" : "\n") + fact;
  return text;
}

bool has_lines(const Evidence& proof) { return proof.text.find('\n') != std::string::npos; }

/// The end of a log in a block of its own, since a field is half a screen wide. Nothing in it may end the block early.
ordered_json quoted_lines(const Evidence& proof) {
  std::string text = escaped(proof.text, longest_section - 2 * longest_label);
  std::replace(text.begin(), text.end(), '`', '\'');
  return section(markdown("*" + escaped(proof.label, longest_label) + "*\n```\n" + text + "\n```"));
}

/// What is one line as fields side by side, then what is several.
void add_evidence(ordered_json& blocks, const std::vector<Evidence>& evidence) {
  ordered_json list = ordered_json::array();
  for (const Evidence& proof : evidence) {
    if (has_lines(proof) || list.size() == most_fields) continue;
    list.push_back(markdown("*" + escaped(proof.label, longest_label) + "*\n" + escaped(proof.text, longest_field)));
  }
  if (!list.empty()) blocks.push_back({{"type", "section"}, {"fields", std::move(list)}});
  std::size_t quoted = 0;
  for (const Evidence& proof : evidence) {
    if (has_lines(proof) && quoted++ < most_quoted) blocks.push_back(quoted_lines(proof));
  }
}

ordered_json footer(const Notification& note, const Message& message) {
  std::string line = note.kind == NotificationKind::digest ? "A digest: nothing here needs an answer"
                                                           : "Incident " + escaped(note.id.incident, longest_label);
  if (!message.acknowledge.empty()) line += "   Acknowledge: `" + escaped(message.acknowledge, longest_label) + "`";
  ordered_json elements = ordered_json::array({markdown(std::move(line))});
  if (!message.notes.empty()) elements.push_back(plain(message.notes, longest_text));
  return {{"type", "context"}, {"elements", std::move(elements)}};
}

/// What stands beside the coloured bar.
ordered_json details(const Notification& note, const Message& message, Form form) {
  const std::size_t longest = form == Form::full ? longest_section : longest_trimmed;
  ordered_json blocks = ordered_json::array();
  if (escaped(message.headline, longest_header) != escaped(message.headline, longest_section)) {
    blocks.push_back(section(plain(message.headline, longest)));
  }
  if (!message.facts.empty()) blocks.push_back(section(plain(lines(message.facts), longest)));
  if (form == Form::full) add_evidence(blocks, message.evidence);
  if (!message.remedy.empty()) blocks.push_back(section(plain("What to do: " + message.remedy, longest_text)));
  // A link and no button: Slack reports each press of a button to the app and shows a warning sign when nobody answers.
  if (!message.runbook.empty()) {
    if (const std::string address = escaped(message.runbook, longest_section); address.size() < longest_section) {
      blocks.push_back(section(markdown("<" + address + "|Runbook>")));
    }
  }
  blocks.push_back(footer(note, message));
  return blocks;
}

std::string body_of(const Notification& note, const std::string& mention, Form form) {
  const Message message = compose(note);
  if (form == Form::minimal) {
    const std::string acknowledge = message.acknowledge.empty() ? "" : " (" + message.acknowledge + ")";
    return ordered_json{{"text", escaped(ascii(message.headline, longest_minimal) + acknowledge, longest_text)}}.dump(
        -1, ' ', true);
  }
  const std::string fallback = escaped(message.headline, longest_text);
  ordered_json blocks = ordered_json::array({{{"type", "header"}, {"text", plain(message.headline, longest_header)}}});
  if (!mention.empty()) blocks.push_back(section(markdown(mention)));
  const ordered_json attachment = {
      {"color", colour_of(note)}, {"fallback", fallback}, {"blocks", details(note, message, form)}};
  const ordered_json body = {
      {"text", fallback}, {"blocks", std::move(blocks)}, {"attachments", ordered_json::array({attachment})}};
  return body.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

bool is_id(std::string_view text, std::string_view firsts) {
  return text.size() >= 3 && text.size() <= 30 && firsts.find(text.front()) != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

/// What Slack makes a mention of, or "" for another word.
std::string mention_of(std::string_view word) {
  if (word == "here" || word == "channel" || word == "everyone") return "<!" + std::string(word) + ">";
  if (is_id(word, "UW")) return "<@" + std::string(word) + ">";
  if (is_id(word, "S")) return "<!subteam^" + std::string(word) + ">";
  return "";
}

/// Slack's words in answers, as its page on errors of incoming webhooks lists them.
constexpr std::array<std::string_view, 4> passing = {"rollup_error", "internal_error", "service_unavailable",
                                                     "rate_limited"};

bool is_passing(std::string_view word) { return std::find(passing.begin(), passing.end(), word) != passing.end(); }

/// invalid_payload, invalid_blocks, too_many_attachments, missing_text_or_fallback_or_attachments, msg_too_long …
bool is_about_the_message(std::string_view word) {
  if (word == "invalid_token" || word == "invalid_auth") return false;
  return word == "no_text" || word.starts_with("invalid_") || word.starts_with("missing_text") ||
         word.starts_with("too_many_") || word.starts_with("msg_");
}

/// The word that the body is, or "": no other foreign text gets into a sentence of ours.
std::string word_of(std::string_view body) {
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r' || body.back() == ' ')) body.remove_suffix(1);
  const bool word = !body.empty() && body.size() <= 60 &&
                    std::all_of(body.begin(), body.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return word ? std::string(body) : "";
}

class Slack final : public Notifier {
 public:
  explicit Slack(Settings settings) : settings_(std::move(settings)) {}

  Result<std::vector<Delivery>> render(const Notification& note, const Handle&, Form form) const override {
    auto url = reveal_address(settings_.webhook, "webhook");
    if (!url) return url.failure();
    HttpRequest request;
    request.url = std::move(*url);
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
    request.body = body_of(note, mention(note), form);
    return std::vector<Delivery>{std::move(request)};
  }

  Judgement judge(const HttpReply& reply, const Now& now) const override {
    using Kind = Judgement::Kind;
    const std::string word = word_of(reply.body);
    const std::string answered = "Slack answered " + std::to_string(reply.status) + (word.empty() ? "" : " " + word);
    if (reply.status == 200 && word == "ok") return {};
    if (reply.status == 429 || reply.status >= 500) return judge_by_status(reply, now);
    if (is_passing(word)) return {Kind::retry, answered, retry_after(reply.headers, now)};
    if (is_about_the_message(word)) return {Kind::malformed, answered + ": it does not like this message"};
    if (reply.status == 200 && word.empty()) {
      return {Kind::refused, "it answered 200 without the word ok, so there is no webhook of Slack at this address"};
    }
    if (word == "no_service" || word == "no_team" || word == "invalid_token") {
      return {Kind::refused, answered + ": the webhook was revoked; make a new one and reload vitald"};
    }
    if (!word.empty())
      return {Kind::refused,
              answered + ": it takes no message by this webhook; look at its channel and its app in Slack"};
    return judge_by_status(reply, now);
  }

  std::string ca_file() const override { return settings_.ca_file; }

 private:
  /// Only where somebody has to act: a recovery or a reminder wakes no whole channel.
  std::string mention(const Notification& note) const {
    if (note.kind != NotificationKind::problem && note.kind != NotificationKind::escalation) return "";
    for (const auto& [severity, whom] : settings_.mention) {
      if (severity == to_string(note.severity)) return mention_of(whom);
    }
    return "";
  }

  Settings settings_;
};

}  // namespace

std::unique_ptr<const Notifier> parse_slack(config::Reader& in) {
  Settings settings;
  settings.webhook =
      in.required("webhook", config::SecretText{}, "Address of the incoming webhook; all of it is secret");
  settings.mention =
      in.optional("mention", config::TextMap{.most = 4}, {},
                  "Whom to mention, by severity: here, channel, everyone, or the id of a member (U…) or a group (S…)");
  settings.ca_file = in.optional("ca_file", config::Text{.may_be_empty = true}, "",
                                 "PEM file of the CAs to trust instead of the system's");
  for (const auto& [severity, whom] : settings.mention) {
    const bool known = severity.size() == 2 && severity[0] == 'P' && severity[1] >= '0' && severity[1] <= '3';
    if (!known) in.problem("mention", "expected severities P0 to P3 as keys, found '" + clean(severity, 40) + "'");
    if (mention_of(whom).empty()) {
      in.problem("mention",
                 "expected here, channel, everyone or the id of a member or group, found '" + clean(whom, 40) + "'");
    }
  }
  return std::make_unique<Slack>(std::move(settings));
}

}  // namespace vitald::alerting
