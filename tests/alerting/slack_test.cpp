#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/alerting/golden.hpp"
#include "tests/alerting/notifier_case.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;
using testing_kit::NotifierCase;
using Kind = Judgement::Kind;

const NotifierCase& slack() {
  static const NotifierCase one("slack",
                                "webhook: https://hooks.slack.com/services/T0/B0/secret\nmention: { P0: here }");
  return one;
}

Notification of_kind(NotificationKind kind) {
  Notification note = samples::api_problem();
  note.kind = kind;
  note.reminder = 1;
  note.at = note.opened + 30min;
  return note;
}

TEST(Slack, GoldenProblem) { golden::expect("slack/problem.json", slack().pretty(samples::api_problem())); }
TEST(Slack, GoldenProblemTrimmed) {
  golden::expect("slack/problem-trimmed.json", slack().pretty(samples::api_problem(), Form::trimmed));
}
TEST(Slack, GoldenProblemMinimal) {
  golden::expect("slack/problem-minimal.json", slack().pretty(samples::api_problem(), Form::minimal));
}
TEST(Slack, GoldenWarning) { golden::expect("slack/warning.json", slack().pretty(samples::bare_problem())); }
TEST(Slack, GoldenLog) {
  auto note = samples::bare_problem();
  note.evidence = {{"exit code", "1"}, {"last lines", "first <b>\n```second\nthird"}};
  golden::expect("slack/log.json", slack().pretty(note));
}
TEST(Slack, GoldenStorm) { golden::expect("slack/storm.json", slack().pretty(samples::storm_problem())); }
TEST(Slack, GoldenDigest) { golden::expect("slack/digest.json", slack().pretty(samples::daily_digest())); }
TEST(Slack, GoldenRecovery) { golden::expect("slack/recovery.json", slack().pretty(samples::api_recovery())); }
TEST(Slack, GoldenReminder) {
  golden::expect("slack/reminder.json", slack().pretty(of_kind(NotificationKind::reminder)));
}
TEST(Slack, GoldenEscalation) {
  golden::expect("slack/escalation.json", slack().pretty(of_kind(NotificationKind::escalation)));
}

TEST(Slack, TheWholeAddressIsTheSecret) {
  const HttpRequest request = slack().request(samples::api_problem());
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://hooks.slack.com/services/T0/B0/secret");
  EXPECT_THAT(request.body, Not(HasSubstr("secret")));
}

TEST(Slack, ASecretThatCannotBeReadIsASentence) {
  const NotifierCase none("slack", "webhook: { file: /nonexistent/webhook }");
  const auto deliveries = none.notifier->render(samples::api_problem(), "", Form::full);
  ASSERT_FALSE(deliveries);
  EXPECT_THAT(deliveries.failure().sentence(), HasSubstr("file /nonexistent/webhook: "));

  const NotifierCase wrong("slack", "webhook: hooks.slack.com/services/T0/B0/hidden");
  const auto sentence = wrong.notifier->render(samples::api_problem(), "", Form::full).failure().sentence();
  EXPECT_THAT(sentence, HasSubstr("https://"));
  EXPECT_THAT(sentence, Not(HasSubstr("hidden")));
}

TEST(Slack, OnlyProblemsAndEscalationsMention) {
  EXPECT_THAT(slack().request(samples::api_problem()).body, HasSubstr("<!here>"));
  EXPECT_THAT(slack().request(of_kind(NotificationKind::escalation)).body, HasSubstr("<!here>"));
  EXPECT_THAT(slack().request(of_kind(NotificationKind::reminder)).body, Not(HasSubstr("<!")));
  EXPECT_THAT(slack().request(samples::api_recovery()).body, Not(HasSubstr("<!")));
  EXPECT_THAT(slack().request(samples::bare_problem()).body, Not(HasSubstr("<!")));
}

TEST(Slack, MentionsAreChecked) {
  EXPECT_THAT(NotifierCase("slack", "webhook: https://x/\nmention: { P0: here, P1: U024BE7LH, P2: S0614TZR7 }").errors,
              "");
  EXPECT_THAT(NotifierCase("slack", "webhook: https://x/\nmention: { P7: here }").errors, HasSubstr("P0 to P3"));
  EXPECT_THAT(NotifierCase("slack", "webhook: https://x/\nmention: { P0: '<!channel>' }").errors,
              HasSubstr("member or group"));
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Every & begins one of the three entities that Slack knows.
bool entities_are_whole(const std::string& text) {
  for (auto at = text.find('&'); at != std::string::npos; at = text.find('&', at + 1)) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (!rest.starts_with("&amp;") && !rest.starts_with("&lt;") && !rest.starts_with("&gt;")) return false;
  }
  return true;
}

/// The two control tokens that we make ourselves: the configured mention, and the link to the runbook.
bool is_ours(const std::string& text) {
  if (text == "<!here>") return true;
  if (!text.starts_with("<http") || !text.ends_with("|Runbook>")) return false;
  return text.find_first_of("<>|", 1) == text.size() - std::string_view("|Runbook>").size();
}

/// Every text object below `node` obeys Slack's limits and holds no control token of foreign make.
void check_texts(const ordered_json& node, std::size_t& total) {
  if (node.is_object() && node.contains("type") && (node["type"] == "plain_text" || node["type"] == "mrkdwn")) {
    const std::string text = node["text"];
    EXPECT_FALSE(text.empty());
    EXPECT_LE(characters(text), 3000u);
    total += characters(text);
    EXPECT_TRUE(entities_are_whole(text)) << text.substr(0, 200);
    EXPECT_TRUE(is_ours(text) || text.find_first_of("<>") == std::string::npos) << text.substr(0, 200);
    EXPECT_EQ(node.value("verbatim", false), node["type"] == "mrkdwn");
  }
  if (node.is_object() && node.contains("fields")) {
    EXPECT_LE(node["fields"].size(), 10u);
    for (const auto& field : node["fields"]) EXPECT_LE(characters(field["text"]), 2000u);
  }
  if (node.is_object() && node.contains("type") && node["type"] == "header") {
    EXPECT_LE(characters(node["text"]["text"]), 150u);
  }
  if (node.is_structured()) {
    for (const auto& child : node) check_texts(child, total);
  }
}

TEST(Slack, HostileTextStaysInsideLimitsAndGivesNoControlToken) {
  for (const std::string& text : testing_kit::hostile_texts()) {
    for (const Form form : {Form::full, Form::trimmed, Form::minimal}) {
      for (const NotificationKind kind : {NotificationKind::problem, NotificationKind::recovery}) {
        Notification note = testing_kit::hostile(text);
        note.kind = kind;
        const ordered_json body = slack().body(note, form);
        std::size_t total = 0;
        check_texts(body, total);
        EXPECT_LT(total, 13'000u) << "Slack says msg_blocks_too_long beyond about 13,000";
        EXPECT_LE(characters(body["text"]), 3000u);
        EXPECT_THAT(std::string(body["text"]), Not(HasSubstr("<")));
        if (form != Form::minimal) {
          EXPECT_LE(body["attachments"][0]["blocks"].size(), 49u);
        }
      }
    }
  }
}

TEST(Slack, CuttingNeverSplitsAnEntity) {
  for (std::size_t before = 100; before < 160; ++before) {
    Notification note = samples::bare_problem();
    note.summary = std::string(before, 'x') + "&&&&&&&&&&&&&&&&&&&&&&&&&&";
    const std::string header = slack().body(note)["blocks"][0]["text"]["text"];
    EXPECT_LE(characters(header), 150u);
    EXPECT_TRUE(entities_are_whole(header)) << header;
  }
}

TEST(Slack, TheMinimalFormIsAsciiThroughAndThrough) {
  Notification note = samples::api_problem();
  note.summary = "na\xC3\xAFve \xF0\x9F\x94\xA5";
  const std::string body = slack().request(note, Form::minimal).body;
  EXPECT_TRUE(std::all_of(body.begin(), body.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  EXPECT_THAT(body, HasSubstr("na?ve ?"));
}

struct Answer {
  int status;
  const char* body;
  Kind kind;
};

class SlackAnswers : public testing::TestWithParam<Answer> {};

TEST_P(SlackAnswers, MeanWhatTheTableSays) {
  const auto& [status, body, kind] = GetParam();
  const Judgement judgement = slack().judge(status, body);
  EXPECT_EQ(judgement.kind, kind) << status << " " << body << ": " << judgement.why;
  EXPECT_EQ(judgement.why.empty(), kind == Kind::accepted);
}

INSTANTIATE_TEST_SUITE_P(
    Table, SlackAnswers,
    testing::Values(
        Answer{200, "ok", Kind::accepted}, Answer{200, "ok\n", Kind::accepted},
        Answer{200, "invalid_blocks", Kind::malformed}, Answer{200, "", Kind::refused},
        Answer{200, "<html>log in</html>", Kind::refused}, Answer{200, "no_service", Kind::refused},
        Answer{400, "invalid_payload", Kind::malformed}, Answer{400, "no_text", Kind::malformed},
        Answer{400, "invalid_blocks", Kind::malformed}, Answer{400, "too_many_attachments", Kind::malformed},
        Answer{400, "missing_text_or_fallback_or_attachments", Kind::malformed}, Answer{400, "", Kind::malformed},
        Answer{400, "user_not_found", Kind::refused}, Answer{400, "channel_not_found", Kind::refused},
        Answer{403, "action_prohibited", Kind::refused}, Answer{403, "invalid_token", Kind::refused},
        Answer{403, "posting_to_general_channel_denied", Kind::refused}, Answer{403, "team_disabled", Kind::refused},
        Answer{404, "channel_not_found", Kind::refused}, Answer{404, "no_service", Kind::refused},
        Answer{404, "no_team", Kind::refused}, Answer{404, "", Kind::refused},
        Answer{410, "channel_is_archived", Kind::refused}, Answer{302, "", Kind::refused},
        Answer{413, "", Kind::malformed}, Answer{429, "rate_limited", Kind::retry},
        Answer{500, "rollup_error", Kind::retry}, Answer{503, "<html>", Kind::retry}, Answer{408, "", Kind::retry}));

TEST(Slack, RetryAfterIsHeard) {
  EXPECT_EQ(slack().judge(429, "", {{"Retry-After", "30"}}).after, Duration(30s));
  EXPECT_EQ(slack().judge(429).after, std::nullopt);
}

TEST(Slack, ForeignAnswersDoNotGetIntoOurSentences) {
  const Judgement judgement = slack().judge(403, "<b>https://hooks.slack.com/services/T0/B0/secret</b>");
  EXPECT_THAT(judgement.why, Not(HasSubstr("secret")));
  EXPECT_THAT(judgement.why, Not(HasSubstr("<")));
}

}  // namespace
}  // namespace vitald::alerting
