// `webhook`: one JSON object for each message to an address of the user's own (docs/notifiers/webhook.md).
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "alerting/notifiers/receivers.hpp"
#include "alerting/notifiers/text.hpp"
#include "alerting/voice.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

using nlohmann::ordered_json;

/// Grows when a member changes its meaning or goes; new members come without a new number.
constexpr int schema_version = 1;
constexpr std::size_t longest_minimal = 300;
constexpr std::size_t most_affected = 100;

struct Settings {
  Secret url;
  std::optional<Secret> token;
  Headers headers;
  std::string ca_file;
};

ordered_json identity(const Notification& note) {
  return {{"version", schema_version},
          {"id", note.id.text()},
          {"incident", note.id.incident},
          {"sequence", note.id.sequence},
          {"receiver", note.id.receiver},
          {"kind", to_string(note.kind)},
          {"severity", to_string(note.severity)},
          {"status", to_string(note.status)},
          {"opened", rfc3339(note.opened)},
          {"at", rfc3339(note.at)}};
}

std::string body_of(const Notification& note, Form form) {
  const Message message = compose(note);
  ordered_json body = identity(note);
  if (form == Form::minimal) {
    body["headline"] = ascii(message.headline, longest_minimal);
    return body.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  }
  body["instance"] = clean(note.instance, 200);
  body["check"] = clean(note.check, 200);
  body["probe"] = clean(note.probe, 200);
  body["labels"] = ordered_json::object();
  for (const auto& [name, value] : note.labels) body["labels"][clean(name, 200)] = clean(value, 200);
  body["headline"] = message.headline;
  body["summary"] = clean(note.summary, 500);
  body["cause"] = clean(note.cause, 500);
  body["affected"] = ordered_json::array();
  for (const std::string& name : note.affected) {
    if (body["affected"].size() < most_affected) body["affected"].push_back(clean(name, 200));
  }
  body["confirmed_by"] = clean(note.confirmed_by, 200);
  body["remedy"] = message.remedy;
  body["evidence"] = ordered_json::array();
  if (form == Form::full) {
    for (const Evidence& proof : message.evidence)
      body["evidence"].push_back({{"label", proof.label}, {"text", proof.text}});
  }
  body["runbook"] = message.runbook;
  body["acknowledge"] = message.acknowledge;
  body["acknowledged_by"] =
      note.acknowledged_by ? ordered_json(clean(*note.acknowledged_by, 200)) : ordered_json(nullptr);
  body["duration_seconds"] = std::chrono::duration<double>(std::max(note.at - note.opened, Duration::zero())).count();
  body["unsaved"] = note.unsaved;
  body["may_repeat"] = note.may_repeat;
  return body.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

class Webhook final : public Notifier {
 public:
  explicit Webhook(Settings settings) : settings_(std::move(settings)) {}

  Result<std::vector<Delivery>> render(const Notification& note, const Handle&, Form form) const override {
    auto url = reveal_address(settings_.url, "url");
    if (!url) return url.failure();
    HttpRequest request;
    request.url = std::move(*url);
    request.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", ascii(note.id.text(), 300)}};
    if (settings_.token) {
      const auto token = reveal_token(*settings_.token, "token");
      if (!token) return token.failure();
      request.headers.emplace_back("Authorization", "Bearer " + *token);
    }
    request.headers.insert(request.headers.end(), settings_.headers.begin(), settings_.headers.end());
    request.body = body_of(note, form);
    return std::vector<Delivery>{std::move(request)};
  }

  Judgement judge(const HttpReply& reply, const Now& now) const override { return judge_by_status(reply, now); }
  std::string ca_file() const override { return settings_.ca_file; }

 private:
  Settings settings_;
};

bool is_token(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";  // RFC 9110 section 5.6.2
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

void check_headers(config::Reader& in, const Headers& headers) {
  for (const auto& [name, value] : headers) {  // TextMap has seen to it that values are one line
    if (!is_token(name)) in.problem("headers", "'" + clean(name, 40) + "' cannot be the name of a header");
    const Headers one = {{name, ""}};
    for (const std::string_view ours :
         {"content-type", "content-length", "host", "connection", "idempotency-key", "transfer-encoding"}) {
      if (find_header(one, ours) != nullptr) in.problem("headers", "'" + name + "' is set by vitald");
    }
    if (find_header(one, "authorization") != nullptr)
      in.warn("headers", "a secret stands in the configuration file; better is 'token'");
  }
}

}  // namespace

std::unique_ptr<const Notifier> parse_webhook(config::Reader& in) {
  Settings settings;
  settings.url = in.required("url", AddressText{}, "Address that takes the messages, as text or as a secret");
  settings.token = in.maybe("token", config::SecretText{}, "Sent as 'Authorization: Bearer …'");
  settings.headers = in.optional("headers", config::TextMap{.most = 32}, {}, "Further headers of the request");
  settings.ca_file = in.optional("ca_file", config::Text{.may_be_empty = true}, "",
                                 "PEM file of the CAs to trust instead of the system's");
  check_headers(in, settings.headers);
  if (settings.token && find_header(settings.headers, "authorization") != nullptr) {
    in.problem("token", "'token' is not possible with the header 'Authorization'");
  }
  return std::make_unique<Webhook>(std::move(settings));
}

}  // namespace vitald::alerting
