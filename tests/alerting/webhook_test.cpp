#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/alerting/golden.hpp"
#include "tests/alerting/notifier_case.hpp"

namespace vitald::alerting {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
using testing_kit::NotifierCase;

const NotifierCase& hook() {
  static const NotifierCase one("webhook", "url: https://example.com/hook\ntoken: s3cret\nheaders: { X-Team: web }");
  return one;
}

TEST(Webhook, GoldenProblem) { golden::expect("webhook/problem.json", hook().pretty(samples::api_problem())); }
TEST(Webhook, GoldenProblemTrimmed) {
  golden::expect("webhook/problem-trimmed.json", hook().pretty(samples::api_problem(), Form::trimmed));
}
TEST(Webhook, GoldenProblemMinimal) {
  golden::expect("webhook/problem-minimal.json", hook().pretty(samples::api_problem(), Form::minimal));
}
TEST(Webhook, GoldenRecovery) { golden::expect("webhook/recovery.json", hook().pretty(samples::api_recovery())); }
TEST(Webhook, GoldenDigest) { golden::expect("webhook/digest.json", hook().pretty(samples::daily_digest())); }

TEST(Webhook, TheRequestCarriesItsIdentityTokenAndHeaders) {
  const HttpRequest request = hook().request(samples::api_problem());
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://example.com/hook");
  EXPECT_THAT(request.headers, Contains(Pair("Content-Type", "application/json")));
  EXPECT_THAT(request.headers, Contains(Pair("Idempotency-Key", "k3v9x7m2q4t8b6n1c5d0/1/ops")));
  EXPECT_THAT(request.headers, Contains(Pair("Authorization", "Bearer s3cret")));
  EXPECT_THAT(request.headers, Contains(Pair("X-Team", "web")));
}

TEST(Webhook, ARepeatHasTheSameIdentity) {
  Notification again = samples::api_problem();
  again.may_repeat = true;
  EXPECT_EQ(hook().request(again, Form::minimal).headers, hook().request(samples::api_problem()).headers);
  EXPECT_EQ(hook().body(again)["id"], hook().body(samples::api_problem())["id"]);
}

TEST(Webhook, TheAddressMayBeASecret) {
  ASSERT_EQ(setenv("VITALD_WEBHOOK_TEST", "https://example.com/from-env", 1), 0);
  const NotifierCase secret("webhook", "url: { env: VITALD_WEBHOOK_TEST }");
  EXPECT_EQ(secret.errors, "");
  EXPECT_EQ(secret.request(samples::api_problem()).url, "https://example.com/from-env");
  unsetenv("VITALD_WEBHOOK_TEST");
}

TEST(Webhook, APlainAddressIsNoWarningButAPlainTokenIs) {
  EXPECT_EQ(NotifierCase("webhook", "url: https://example.com/").warnings, "");
  EXPECT_THAT(hook().warnings, HasSubstr("a secret stands in the configuration file"));
}

TEST(Webhook, WrongOptionsAreToldAtOnce) {
  const auto errors = [](const std::string& more) {
    return NotifierCase("webhook", "url: https://example.com/\n" + more).errors;
  };
  EXPECT_THAT(NotifierCase("webhook", "url: example.com").errors, HasSubstr("https://"));
  EXPECT_THAT(NotifierCase("webhook", "url: https:///x").errors, HasSubstr("host"));
  EXPECT_THAT(errors("headers: { 'Bad Name': x }"), HasSubstr("cannot be the name of a header"));
  EXPECT_THAT(errors("headers: { X: \"a\\r\\nY: b\" }"), HasSubstr("control characters"));
  EXPECT_THAT(errors("headers: { content-length: 5 }"), HasSubstr("set by vitald"));
  EXPECT_THAT(errors("token: t\nheaders: { authorization: x }"), HasSubstr("'token' is not possible"));
}

TEST(Webhook, ATokenThatWouldBreakTheHeaderIsRefused) {
  ASSERT_EQ(setenv("VITALD_WEBHOOK_TEST", "two\r\nX-Injected: 1", 1), 0);
  const NotifierCase broken("webhook", "url: https://example.com/\ntoken: { env: VITALD_WEBHOOK_TEST }");
  const auto deliveries = broken.notifier->render(samples::api_problem(), "", Form::full);
  ASSERT_FALSE(deliveries);
  EXPECT_THAT(deliveries.failure().sentence(), HasSubstr("environment variable VITALD_WEBHOOK_TEST"));
  EXPECT_THAT(deliveries.failure().sentence(), testing::Not(HasSubstr("Injected")));
  unsetenv("VITALD_WEBHOOK_TEST");
}

TEST(Webhook, HostileTextIsStillJson) {
  for (const std::string& text : testing_kit::hostile_texts()) {
    for (const Form form : {Form::full, Form::trimmed, Form::minimal}) {
      const HttpRequest request = hook().request(testing_kit::hostile(text), form);
      EXPECT_LT(request.body.size(), 256u * 1024);
      EXPECT_EQ(nlohmann::json::parse(request.body)["version"], 1);
    }
  }
}

}  // namespace
}  // namespace vitald::alerting
