// `pagerduty`: Events API v2. One incident of ours is one alert of theirs: trigger, acknowledge and resolve carry the
// same dedup_key, made of the incident's random id, so no later incident can ever be taken for this one.
#include <nlohmann/json.hpp>
#include <utility>

#include "alerting/notifiers/receivers.hpp"
#include "alerting/notifiers/text.hpp"
#include "alerting/voice.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t longest_summary = 1024;  // characters, theirs
constexpr std::size_t longest_minimal = 300;
constexpr std::size_t longest_name = 200;
constexpr std::size_t key_length = 32;
constexpr std::size_t most_labels = 32;
// They say no more than "back off by minutes" where they send no Retry-After.
constexpr Duration unless_told = std::chrono::seconds(30);

struct Settings {
  Secret routing_key;
  std::string url;
  std::string ca_file;
};

std::string_view severity_of(const Notification& note) {
  switch (note.severity) {
    case Severity::p0:
      return "critical";
    case Severity::p1:
      return "error";
    case Severity::p2:
      return "warning";
    case Severity::p3:
      return "info";
  }
  return "warning";
}

/// A repeated trigger with the same key only adds to the alert's log, so everything that goes on may be one.
std::string_view action_of(const Notification& note) {
  if (note.kind == NotificationKind::recovery) return "resolve";
  return note.kind == NotificationKind::update && note.acknowledged_by ? "acknowledge" : "trigger";
}

void put(ordered_json& details, std::string name, std::string text) {
  if (text.empty()) return;
  const std::string wanted = name.empty() ? "detail" : name;
  name = wanted;
  for (int number = 2; details.contains(name); ++number) name = wanted + " (" + std::to_string(number) + ")";
  details[name] = std::move(text);
}

/// Flat, since PagerDuty shows a table of names and texts.
ordered_json details_of(const Notification& note, const Message& message, Form form) {
  ordered_json details = ordered_json::object();
  std::string facts;
  for (const std::string& fact : message.facts) facts += (facts.empty() ? "" : "\n") + fact;
  put(details, "what is known", std::move(facts));
  put(details, "what to do", message.remedy);
  put(details, "acknowledge on the host", message.acknowledge);
  put(details, "note", message.notes);
  if (form != Form::full) return details;
  for (const Evidence& proof : message.evidence) put(details, proof.label, proof.text);
  std::size_t count = 0;
  for (const auto& [name, value] : note.labels) {
    if (count++ < most_labels) put(details, "label " + clean(name, longest_name), clean(value, longest_name));
  }
  return details;
}

ordered_json payload_of(const Notification& note, const Message& message, Form form) {
  const bool minimal = form == Form::minimal;
  const std::string summary =
      minimal ? ascii(message.headline, longest_minimal) : clean(message.headline, longest_summary);
  const std::string source = minimal ? ascii(note.instance, longest_name) : clean(note.instance, longest_name);
  ordered_json payload = {{"summary", summary},
                          {"source", source.empty() ? "vitald" : source},
                          {"severity", severity_of(note)},
                          {"timestamp", rfc3339(note.opened)}};
  if (minimal) return payload;
  payload["component"] = clean(note.check, longest_name);
  if (!note.probe.empty()) payload["class"] = clean(note.probe, longest_name);
  payload["custom_details"] = details_of(note, message, form);
  return payload;
}

std::string body_of(const Notification& note, const std::string& key, Form form) {
  const std::string_view action = action_of(note);
  ordered_json body = {{"routing_key", key}, {"event_action", action}, {"dedup_key", "vitald:" + note.id.incident}};
  if (action != "trigger") return body.dump();
  const Message message = compose(note);
  body["payload"] = payload_of(note, message, form);
  body["client"] = "vitald";
  if (form == Form::full && !message.runbook.empty()) {
    body["links"] = ordered_json::array({{{"href", message.runbook}, {"text", "Runbook"}}});
  }
  return body.dump(-1, ' ', form == Form::minimal, ordered_json::error_handler_t::replace);
}

/// Their list of what is wrong with an event, in one line.
std::string errors_of(const std::string& body) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  std::string text;
  if (!answer.is_object() || !answer.contains("errors") || !answer["errors"].is_array()) return text;
  for (const auto& error : answer["errors"]) {
    if (error.is_string()) text += (text.empty() ? "" : "; ") + error.get_ref<const std::string&>();
  }
  return text;
}

class PagerDuty final : public Notifier {
 public:
  explicit PagerDuty(Settings settings) : settings_(std::move(settings)) {}

  Result<std::vector<Delivery>> render(const Notification& note, const Handle&, Form form) const override {
    if (note.kind == NotificationKind::digest) return std::vector<Delivery>{};  // nothing that anybody must get up for
    const auto key = reveal_token(settings_.routing_key, "routing_key");
    if (!key) return key.failure();
    if (key->size() != key_length) {
      return Failure{
          settings_.routing_key.describe(),
          "routing_key: PagerDuty's integration keys have 32 characters, and this has " + std::to_string(key->size())};
    }
    HttpRequest request;
    request.url = settings_.url;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = body_of(note, *key, form);
    return std::vector<Delivery>{std::move(request)};
  }

  Judgement judge(const HttpReply& reply, const Now& now) const override {
    Judgement judgement = judge_by_status(reply, now);
    if (judgement.kind == Judgement::Kind::accepted && reply.status != 202) {
      return {Judgement::Kind::refused,
              "it answered " + std::to_string(reply.status) + " and not 202, so this is not PagerDuty's Events API"};
    }
    if (reply.status == 429 && !judgement.after) judgement.after = unless_told;
    if (reply.status != 400) return judgement;
    const auto key = settings_.routing_key.reveal();
    const std::string errors = clean(redacted(errors_of(reply.body), key ? *key : ""), longest_name);
    if (errors.find("routing_key") != std::string::npos)
      return {Judgement::Kind::refused, "PagerDuty does not accept the routing key: " + errors};
    if (!errors.empty()) judgement.why += ": " + errors;
    return judgement;
  }

  std::string ca_file() const override { return settings_.ca_file; }

 private:
  Settings settings_;
};

}  // namespace

std::unique_ptr<const Notifier> parse_pagerduty(config::Reader& in) {
  Settings settings;
  settings.routing_key = in.required("routing_key", config::SecretText{},
                                     "Integration key of an Events API v2 integration, 32 characters");
  const std::string region = in.optional("region", config::OneOf{{"us", "eu"}}, "us", "Service region of the account");
  const auto url =
      in.maybe("url", config::Text{}, "Address of the Events API where it is another one, of a proxy for example");
  settings.ca_file = in.optional("ca_file", config::Text{.may_be_empty = true}, "",
                                 "PEM file of the CAs to trust instead of the system's");
  settings.url =
      region == "eu" ? "https://events.eu.pagerduty.com/v2/enqueue" : "https://events.pagerduty.com/v2/enqueue";
  if (!url) return std::make_unique<PagerDuty>(std::move(settings));
  settings.url = *url;
  if (const std::string problem = address_problem(*url); !problem.empty()) in.problem("url", problem);
  if (in.has("region")) in.problem("region", "'region' is not possible with 'url', which says where to send");
  return std::make_unique<PagerDuty>(std::move(settings));
}

}  // namespace vitald::alerting
