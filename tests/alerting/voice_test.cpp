#include "alerting/voice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/alerting/golden.hpp"
#include "tests/alerting/sample_notifications.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string spoken(const Notification& note) { return plain_text(compose(note)); }

TEST(Voice, AProblemSaysHowBadWhatAndWhereFirst) {
  EXPECT_EQ(compose(samples::api_problem()).headline,
            "P0 critical: api-health on web-1 - 502 Bad Gateway instead of 200");
}

TEST(Voice, ARecoverySaysHowLongItLastedInOneLine) {
  EXPECT_EQ(
      compose(samples::api_recovery()).headline,
      "Recovered: api-health on web-1 - 200 in 38 ms, after 6 min 12 s (02:13:56 to 02:20:08 UTC). Cause was php-fpm.");
}

TEST(Voice, Problem) { golden::expect("voice/problem.txt", spoken(samples::api_problem())); }
TEST(Voice, ALogKeepsItsLines) {
  auto note = samples::bare_problem();
  note.evidence = {{"last lines", "first\n\nsecond \x1b[31mred\nthird"}, {"exit code", "1"}};
  golden::expect("voice/log.txt", spoken(note));
}
TEST(Voice, BareProblem) { golden::expect("voice/problem-bare.txt", spoken(samples::bare_problem())); }
TEST(Voice, Recovery) { golden::expect("voice/recovery.txt", spoken(samples::api_recovery())); }

TEST(Voice, Storm) { golden::expect("voice/storm.txt", spoken(samples::storm_problem())); }
TEST(Voice, StormOver) { golden::expect("voice/storm-over.txt", spoken(samples::storm_recovery())); }
TEST(Voice, Digest) { golden::expect("voice/digest.txt", spoken(samples::daily_digest())); }

TEST(Voice, RecoveryTwoDaysLater) {
  Notification note = samples::api_recovery();
  note.cause.clear();
  note.at = note.opened + 49h;
  golden::expect("voice/recovery-days.txt", spoken(note));
}

TEST(Voice, RecoveryAfterTheClockWasSetBack) {
  Notification note = samples::api_recovery();
  note.at = note.opened - 1h;
  golden::expect("voice/recovery-clock-set-back.txt", spoken(note));
}

TEST(Voice, Reminder) {
  Notification note = samples::api_problem();
  note.kind = NotificationKind::reminder;
  note.reminder = 2;
  note.at = note.opened + 1h;
  golden::expect("voice/reminder.txt", spoken(note));
}

TEST(Voice, ReminderAcrossMidnight) {
  Notification note = samples::bare_problem();
  note.kind = NotificationKind::reminder;
  note.reminder = 48;
  note.at = note.opened + 24h;
  golden::expect("voice/reminder-next-day.txt", spoken(note));
}

TEST(Voice, Escalation) {
  Notification note = samples::api_problem();
  note.kind = NotificationKind::escalation;
  note.at = note.opened + 15min;
  golden::expect("voice/escalation.txt", spoken(note));
}

TEST(Voice, EscalationOfWhatSomebodyTook) {
  Notification note = samples::api_problem();
  note.kind = NotificationKind::escalation;
  note.acknowledged_by = "anna";
  golden::expect("voice/escalation-acknowledged.txt", spoken(note));
}

TEST(Voice, UpdateThatItChanged) {
  Notification note = samples::api_problem();
  note.kind = NotificationKind::update;
  note.at = note.opened + 4min;
  golden::expect("voice/update.txt", spoken(note));
}

TEST(Voice, UpdateThatSomebodyTookIt) {
  Notification note = samples::api_problem();
  note.kind = NotificationKind::update;
  note.acknowledged_by = "anna";
  golden::expect("voice/update-acknowledged.txt", spoken(note));
}

TEST(Voice, UnknownSaysThatItIsNotTheTargetsFault) {
  Notification note = samples::bare_problem();
  note.status = Status::unknown;
  note.check = "containers";
  note.probe = "docker";
  note.summary = "vitald may not read /var/run/docker.sock";
  note.remedy = "run: setfacl -m u:vitald:rw /var/run/docker.sock";
  golden::expect("voice/unknown.txt", spoken(note));
}

TEST(Voice, TroubleOfVitaldsOwn) {
  Notification note = samples::bare_problem();
  note.check = "vitald";
  note.probe = "";
  note.summary = "the receiver ops-slack refuses messages: the webhook was revoked";
  note.remedy = "make a new webhook in Slack, put it in place and reload vitald";
  note.unsaved = true;
  note.may_repeat = true;
  golden::expect("voice/own-trouble.txt", spoken(note));
}

TEST(Voice, ManyAffectedAreCountedNotListed) {
  Notification note = samples::bare_problem();
  for (int i = 1; i <= 14; ++i) note.affected.push_back("check-" + std::to_string(i));
  golden::expect("voice/many-affected.txt", spoken(note));
}

TEST(Voice, ForeignTextStaysHarmlessAndShort) {
  Notification note = samples::api_problem();
  note.summary =
      "\x1b[31mred\x1b[0m and \xE2\x80\xAE"
      "backwards\r\nP0 critical: forged line";
  note.evidence = {{"log", std::string("a\0b", 3) + "\xff" + std::string(5000, 'z')}};
  const std::string text = spoken(note);
  EXPECT_THAT(text, HasSubstr("\\x1b[31mred\\x1b[0m and backwards P0 critical: forged line\n"));
  EXPECT_THAT(text, HasSubstr("log: a\\x00b\xEF\xBF\xBDzzz"));
  EXPECT_LT(text.size(), 2000u);
}

TEST(Voice, ARunbookIsALinkOrNothing) {
  for (const char* address : {"javascript:alert(1)", "ftp://x/", "https://x/ y", "https://x/\"><script>",
                              "https://x/|y", "https://x/\n", "HTTPS//x", "//x",
                              "https://x/\xE2\x80\xAE"
                              "fdp.exe",
                              "https://x/`id`"}) {
    Notification note = samples::bare_problem();
    note.runbook = address;
    EXPECT_EQ(compose(note).runbook, "") << address;
  }
  Notification note = samples::bare_problem();
  note.runbook = "http://wiki/run?a=1&b=2#c";
  EXPECT_EQ(compose(note).runbook, "http://wiki/run?a=1&b=2#c");
}

TEST(Voice, NothingIsShoutedAndNothingIsJargon) {
  for (const NotificationKind kind : {NotificationKind::problem, NotificationKind::update, NotificationKind::reminder,
                                      NotificationKind::escalation, NotificationKind::recovery}) {
    Notification note = samples::api_problem();
    note.kind = kind;
    note.unsaved = note.may_repeat = true;
    for (const char* word : {"!", "{", "}", "notification", "incident", "verdict"})
      EXPECT_THAT(spoken(note), Not(HasSubstr(word)));
  }
}

TEST(Clean, CutsAtACharacterAndSaysSo) {
  EXPECT_EQ(clean("abcdef", 6), "abcdef");
  EXPECT_EQ(clean("abcdefg", 6), "abcde\xE2\x80\xA6");
  EXPECT_EQ(clean("\xC3\xA9\xC3\xA9\xC3\xA9", 2), "\xC3\xA9\xE2\x80\xA6");
  EXPECT_EQ(clean("abc def", 5), "abc\xE2\x80\xA6");
  EXPECT_EQ(clean("ab\x1b", 5), "ab\xE2\x80\xA6");
  EXPECT_EQ(clean("abc", 0), "");
}

TEST(Clean, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(clean("a\xff"
                  "b",
                  9),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(clean("\xC0\xAF", 9), "\xEF\xBF\xBD\xEF\xBF\xBD");  // overlong
  EXPECT_EQ(clean("\xED\xA0\x80", 9), "\xEF\xBF\xBD");          // surrogate
  EXPECT_EQ(clean("\xF4\x90\x80\x80", 9), "\xEF\xBF\xBD");      // beyond U+10FFFF
  EXPECT_EQ(clean("\xE2\x82", 9), "\xEF\xBF\xBD\xEF\xBF\xBD");  // cut short
  EXPECT_EQ(clean("\xF0\x9F\x94\xA5", 9), "\xF0\x9F\x94\xA5");
}

TEST(Clean, LinesBecomeOneAndInvisibleCharactersGo) {
  EXPECT_EQ(clean("  one\r\n\ttwo\n", 99), "one two");
  EXPECT_EQ(clean("pay\xE2\x80\x8Bpal \xEF\xBB\xBFx", 99), "paypal x");
  EXPECT_EQ(clean("\xC2\x9B"
                  "2J",
                  99),
            "\\x9b2J");  // the one-byte CSI of a terminal
  EXPECT_EQ(clean("a\xE2\x80\xA8"
                  "b",
                  99),
            "a b");
}

TEST(Clean, RandomBytesNeverLeaveAControlCharacterOrTooMuchText) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? random() % 32 : random() % 256);
    const std::string text = clean(bytes, 20);
    EXPECT_EQ(clean(text, 20), text);  // clean already
    std::size_t characters = 0;
    for (const char c : text) {
      EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F);
      characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1u : 0u;
    }
    EXPECT_LE(characters, 20u);
  }
}

TEST(CleanLines, KeepsTheLastTwelveWithinTheLength) {
  std::string text;
  for (int line = 1; line <= 20; ++line) text += "line " + std::to_string(line) + "\n";
  const std::string kept = clean_lines(text, 1000);
  EXPECT_TRUE(kept.starts_with("line 9\n")) << kept;
  EXPECT_TRUE(kept.ends_with("\nline 20")) << kept;
  EXPECT_EQ(clean_lines(text, 14), "line…\nline 20");
  EXPECT_EQ(clean_lines("\n \n", 100), "");
}

}  // namespace
}  // namespace vitald::alerting
