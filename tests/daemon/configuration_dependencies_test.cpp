#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/configuration.hpp"
#include "tests/daemon/configuration_fakes.hpp"

namespace vitald::daemon {
namespace {

using test::load_text;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Dependencies, one_name_or_several) {
  const auto [good, nothing] = load_text(R"(
checks:
  mysql: { probe: room }
  redis: { probe: room }
  shop: { probe: web, url: http://x, depends_on: [ mysql, redis ] }
  "blog-{n}": { for_each: [ { n: 1, db: my } ], probe: web, url: http://x, depends_on: "{db}sql" }
)");
  EXPECT_EQ(nothing, "");
  ASSERT_TRUE(good);
  EXPECT_THAT(good->rules->checks.at(2).depends_on, ElementsAre("mysql", "redis"));
  EXPECT_THAT(good->rules->checks.at(3).depends_on, ElementsAre("mysql"));
}

TEST(Dependencies, a_name_that_is_none_is_an_error_with_the_nearest) {
  const auto [configuration, said] = load_text(R"(
checks:
  mysql: { probe: room }
  shop: { probe: web, url: http://x, depends_on: mysqll }
  blog: { probe: web, url: http://x, depends_on: something-else }
)");
  EXPECT_FALSE(configuration);
  EXPECT_THAT(said, HasSubstr("'depends_on': there is no check 'mysqll'; did you mean 'mysql'?"));
  EXPECT_THAT(said, HasSubstr("there is no check 'something-else'"));
  EXPECT_THAT(said, Not(HasSubstr("'something-else';")));
}

TEST(Dependencies, a_circle_is_named) {
  const auto [configuration, said] = load_text(R"(
checks:
  a: { probe: room, depends_on: b }
  b: { probe: room, depends_on: [ d, c ] }
  c: { probe: room, depends_on: a }
  d: { probe: room }
  e: { probe: room, depends_on: e }
  f: { probe: room, depends_on: [ a, e ] }
)");
  EXPECT_FALSE(configuration);
  EXPECT_THAT(said, HasSubstr("'depends_on' leads in a circle: 'a' needs 'b' needs 'c' needs 'a'"));
  EXPECT_THAT(said, HasSubstr("'e' needs 'e'"));
  EXPECT_THAT(said, Not(HasSubstr("'f'")));
}

}  // namespace
}  // namespace vitald::daemon
