// A notifier made from YAML as a user would write it, and what it makes of notifications and answers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "alerting/notifiers/notifier.hpp"
#include "config/document.hpp"
#include "tests/alerting/sample_notifications.hpp"

namespace vitald::alerting::testing_kit {

struct NotifierCase {
  std::unique_ptr<const Notifier> notifier;
  std::string errors, warnings;  // one line each

  NotifierCase(const std::string& kind, const std::string& yaml) {
    config::Problems problems;
    const config::Node node = config::parse_text(yaml, "test.yaml", problems);
    config::Reader reader(node, "receiver test", problems);
    notifier = find_notifier(kind)->parse(reader);
    reader.finish();
    for (const auto& found : reader.secrets()) config::FoundSecret(found).secret.load();
    for (const auto& problem : problems.all()) (problem.warning ? warnings : errors) += problem.text() + "\n";
  }

  /// The one request that a notification becomes.
  HttpRequest request(const Notification& note, Form form = Form::full) const {
    const auto deliveries = notifier->render(note, "", form);
    EXPECT_TRUE(deliveries) << deliveries.failure().sentence();
    if (!deliveries || deliveries->size() != 1) return {};
    return std::get<HttpRequest>(deliveries->front());
  }
  nlohmann::ordered_json body(const Notification& note, Form form = Form::full) const {
    return nlohmann::ordered_json::parse(request(note, form).body);
  }
  /// For golden files: the body as people read JSON.
  std::string pretty(const Notification& note, Form form = Form::full) const { return body(note, form).dump(2) + "\n"; }

  Judgement judge(int status, std::string body = "", Headers headers = {}) const {
    return notifier->judge({status, std::move(headers), std::move(body)}, Now{Steady{}, samples::opened()});
  }
};

/// A notification whose every foreign field is hostile and long.
inline Notification hostile(const std::string& text) {
  Notification note = samples::api_problem();
  note.instance = note.check = note.probe = note.summary = note.cause = note.confirmed_by = note.remedy = text;
  note.affected.assign(200, text);
  note.labels.assign(100, {text, text});
  note.evidence.assign(100, {text, text});
  note.runbook = text;
  note.acknowledged_by = text;
  note.unsaved = note.may_repeat = true;
  return note;
}

/// Texts that have broken somebody's renderer before.
inline std::vector<std::string> hostile_texts() {
  using namespace std::string_literals;  // for the NUL
  std::vector<std::string> texts = {"<!channel> <@U123> <http://evil|click>",
                                    "&lt;!here&gt; &amp; <>&\"'`*_~",
                                    "```\n<!everyone>\n```",
                                    "",
                                    "nul \0 \x1b[2J \xff\xfe \xed\xa0\x80"s,
                                    "https://x/<!channel>|",
                                    "\r\n\r\nX-Injected: 1",
                                    "javascript:alert(1)",
                                    std::string(5000, '&'),
                                    std::string(100'000, '<')};
  std::string wide;
  for (int i = 0; i < 5000; ++i) wide += "\xF0\x9F\x94\xA5";
  texts.push_back(std::move(wide));
  return texts;
}

}  // namespace vitald::alerting::testing_kit
