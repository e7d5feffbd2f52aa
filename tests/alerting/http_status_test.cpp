#include <gtest/gtest.h>

#include "alerting/notifiers/text.hpp"
#include "tests/alerting/sample_notifications.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;
using Kind = Judgement::Kind;

const Now now{Steady{}, samples::opened()};  // Sat, 21 Nov 2026 02:13:56 GMT

Kind kind(int status) { return judge_by_status({status, {}, ""}, now).kind; }
std::optional<Duration> wish(const std::string& value) {
  return judge_by_status({503, {{"Retry-After", value}}, ""}, now).after;
}

TEST(JudgeByStatus, FollowsTheLadder) {
  for (const int status : {200, 201, 202, 204, 299}) EXPECT_EQ(kind(status), Kind::accepted) << status;
  for (const int status : {0, 103, 408, 425, 429, 500, 502, 503, 504, 599})
    EXPECT_EQ(kind(status), Kind::retry) << status;
  for (const int status : {400, 413, 422}) EXPECT_EQ(kind(status), Kind::malformed) << status;
  for (const int status : {301, 302, 307, 308, 401, 403, 404, 405, 410, 451})
    EXPECT_EQ(kind(status), Kind::refused) << status;
}

TEST(JudgeByStatus, EverythingButSuccessSaysWhy) {
  for (int status = 300; status < 600; ++status) {
    EXPECT_NE(judge_by_status({status, {}, ""}, now).why.find(std::to_string(status)), std::string::npos);
  }
}

TEST(RetryAfter, TakesSecondsAndDates) {
  EXPECT_EQ(wish("0"), Duration(0s));
  EXPECT_EQ(wish("120"), Duration(2min));
  EXPECT_EQ(wish("Sat, 21 Nov 2026 02:14:56 GMT"), Duration(1min));
  EXPECT_EQ(wish("Sat, 21 Nov 2026 02:00:00 GMT"), Duration(0s));
}

TEST(RetryAfter, IsCappedAtAnHour) {
  EXPECT_EQ(wish("86400"), Duration(1h));
  EXPECT_EQ(wish("99999999999999999999999999"), Duration(1h));
  EXPECT_EQ(wish("Sun, 22 Nov 2026 02:14:56 GMT"), Duration(1h));
}

TEST(RetryAfter, WhatIsNeitherCountsAsAbsent) {
  for (const char* value :
       {"", "-5", "soon", "1.5", "12 ", "Sat, 21 Nov 2026 02:14:56", "Sat, 31 Feb 2026 02:14:56 GMT",
        "Sat, 21 Nov 2026 25:14:56 GMT", "Sat, 21 Nuv 2026 02:14:56 GMT", "Sat, -1 Nov 2026 02:14:56 GMT",
        "Sat, 21 Nov 9999 02:14:56 GMT"}) {
    EXPECT_EQ(wish(value), std::nullopt) << value;
  }
}

TEST(RetryAfter, TheNamesCaseDoesNotMatter) {
  EXPECT_EQ(judge_by_status({429, {{"rEtRy-AfTeR", "7"}}, ""}, now).after, Duration(7s));
}

TEST(AddressProblem, TellsAnAddressFromWhatIsNone) {
  for (const char* good :
       {"https://x", "http://127.0.0.1:8080/a?b=c#d", "https://[::1]:443/", "https://example.com/a@b"}) {
    EXPECT_EQ(address_problem(good), "") << good;
  }
  for (const char* bad : {"", "x", "ftp://x", "javascript:alert(1)", "https://", "https:///path", "https://u@x/",
                          "https://u:p@x", "https://x/ y", "https://x/\r\nHost: y", "https://x/\xC3\xA9"}) {
    EXPECT_NE(address_problem(bad), "") << bad;
  }
}

TEST(Redacted, BlotsOutEveryOccurrence) {
  EXPECT_EQ(redacted("a key b key", "key"), "a *** b ***");
  EXPECT_EQ(redacted("***", "*"), "*********");
  EXPECT_EQ(redacted("text", ""), "text");
}

}  // namespace
}  // namespace vitald::alerting
