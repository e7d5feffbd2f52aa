#include "alerting/notification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/alerting/sample_notifications.hpp"

namespace vitald::alerting {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Notification, IdAsTextNamesIncidentSequenceAndReceiver) {
  EXPECT_EQ((NotificationId{"k3v9", 2, "ops-slack"}.text()), "k3v9/2/ops-slack");
}

TEST(Notification, EveryMemberSurvivesTheRoundTrip) {
  Notification note = samples::api_problem();
  note.kind = NotificationKind::escalation;
  note.status = Status::unknown;
  note.severity = Severity::p3;
  note.acknowledged_by = "anna";
  note.remedy = "start php-fpm";
  note.reminder = 7;
  note.unsaved = note.may_repeat = true;
  note.opened += std::chrono::nanoseconds(123456789);

  const auto read = notification_from_json(to_json(note));

  ASSERT_TRUE(read) << read.failure().what;
  EXPECT_EQ(to_json(*read), to_json(note));
  EXPECT_EQ(read->id, note.id);
  EXPECT_EQ(read->kind, note.kind);
  EXPECT_EQ(read->severity, note.severity);
  EXPECT_EQ(read->status, note.status);
  EXPECT_EQ(read->instance, note.instance);
  EXPECT_EQ(read->check, note.check);
  EXPECT_EQ(read->probe, note.probe);
  EXPECT_EQ(read->labels, note.labels);
  EXPECT_EQ(read->summary, note.summary);
  EXPECT_EQ(read->cause, note.cause);
  EXPECT_EQ(read->affected, note.affected);
  EXPECT_EQ(read->confirmed_by, note.confirmed_by);
  EXPECT_EQ(read->remedy, note.remedy);
  ASSERT_EQ(read->evidence.size(), note.evidence.size());
  EXPECT_EQ(read->evidence[0].label, note.evidence[0].label);
  EXPECT_EQ(read->evidence[1].text, note.evidence[1].text);
  EXPECT_EQ(read->runbook, note.runbook);
  EXPECT_EQ(read->acknowledged_by, note.acknowledged_by);
  EXPECT_EQ(read->opened, note.opened);
  EXPECT_EQ(read->at, note.at);
  EXPECT_EQ(read->reminder, 7);
  EXPECT_TRUE(read->unsaved);
  EXPECT_TRUE(read->may_repeat);
}

TEST(Notification, NobodyAcknowledgedStaysNobody) {
  const auto read = notification_from_json(to_json(samples::api_problem()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->acknowledged_by, std::nullopt);
}

TEST(Notification, BytesThatAreNoTextBecomeReplacementCharacters) {
  Notification note = samples::api_problem();
  note.summary = "bad \xff\xfe byte";
  note.evidence = {{"\xc3", std::string("nul \0 inside", 12)}};

  const auto read = notification_from_json(to_json(note));

  ASSERT_TRUE(read) << read.failure().what;
  EXPECT_THAT(read->summary, HasSubstr("\xEF\xBF\xBD"));
  EXPECT_THAT(read->summary, HasSubstr(" byte"));
  EXPECT_EQ(read->evidence[0].text, std::string("nul \0 inside", 12));
}

TEST(Notification, LongTextIsCutBetweenCharacters) {
  Notification note = samples::api_problem();
  note.summary = "x";
  for (int i = 0; i < 5000; ++i) note.summary += "\xC3\xA9";
  note.evidence.assign(1000, Evidence{"line", std::string(100'000, 'y')});

  const std::string text = to_json(note);

  EXPECT_LT(text.size(), 1u << 20);
  EXPECT_THAT(text, Not(HasSubstr("\xEF\xBF\xBD")));
  EXPECT_TRUE(notification_from_json(text));
}

TEST(Notification, MembersOfANewerVersionAreIgnored) {
  std::string text = to_json(samples::api_problem());
  text.insert(1, R"("digest_of":["a","b"],)");
  EXPECT_TRUE(notification_from_json(text));
}

TEST(Notification, WhatIsNoNotificationIsRefusedWithASentence) {
  for (const char* text : {"", "{", "[]", "null", "{}", R"({"incident":5})",
                           R"({"incident":"a","sequence":1,"receiver":"r","kind":"song"})"}) {
    const auto read = notification_from_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.failure().what, HasSubstr("a stored notification cannot be read")) << text;
  }
  EXPECT_FALSE(notification_from_json(std::string(3u << 20, ' ') + to_json(samples::api_problem())));
  EXPECT_FALSE(notification_from_json(std::string(1'000'000, '[')));
}

TEST(Notification, NumbersThatNobodyWroteAreRefused) {
  const std::string good = to_json(samples::api_problem());
  const auto with = [&](const std::string& member, const std::string& value) {
    const auto at = good.find("\"" + member + "\":") + member.size() + 3;
    return good.substr(0, at) + value + good.substr(good.find_first_of(",}", at));
  };
  EXPECT_TRUE(notification_from_json(with("at_ns", "1")));
  for (const char* wrong : {"-1", "9223372036854775807", "18446744073709551615", "1e30", "1.5", "\"1\""}) {
    EXPECT_FALSE(notification_from_json(with("at_ns", wrong))) << wrong;
    EXPECT_FALSE(notification_from_json(with("sequence", wrong))) << wrong;
  }
}

}  // namespace
}  // namespace vitald::alerting
