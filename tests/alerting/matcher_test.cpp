#include "alerting/matcher.hpp"

#include <gtest/gtest.h>

namespace vitald::alerting {
namespace {

TEST(matcher, globs_fit_whole_texts) {
  EXPECT_TRUE(fits_glob("api-*", "api-health"));
  EXPECT_TRUE(fits_glob("api-*", "api-"));
  EXPECT_FALSE(fits_glob("api-*", "my-api-health"));
  EXPECT_TRUE(fits_glob("*", ""));
  EXPECT_TRUE(fits_glob("*-db-*", "eu-db-1"));
  EXPECT_TRUE(fits_glob("*a*a*b", "aaaaab"));
  EXPECT_FALSE(fits_glob("*a*a*b", "aaaaa"));
  EXPECT_TRUE(fits_glob("web", "web"));
  EXPECT_FALSE(fits_glob("web", "web2"));
  EXPECT_FALSE(fits_glob("", "web"));
}

/// Takes longer than the universe if every `*` is tried against every place.
TEST(matcher, a_hostile_glob_costs_no_more_than_the_product_of_the_lengths) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  EXPECT_FALSE(fits_glob(pattern + "b", std::string(4000, 'a')));
}

TEST(matcher, both_parts_have_to_fit_where_both_are_given) {
  const Labels web = {{"env", "prod"}, {"team", "web"}};
  EXPECT_TRUE((Matcher{{"api-*", "site"}, {}}.fits("site", {})));
  EXPECT_FALSE((Matcher{{"api-*", "site"}, {}}.fits("sites", web)));
  EXPECT_TRUE((Matcher{{}, {{"team", "web"}}}.fits("site", web)));
  EXPECT_TRUE((Matcher{{}, {{"team", "w*"}, {"env", "prod"}}}.fits("site", web)));
  EXPECT_FALSE((Matcher{{}, {{"team", "web"}, {"env", "test"}}}.fits("site", web)));
  EXPECT_FALSE((Matcher{{"api-*"}, {{"team", "web"}}}.fits("site", web)));
  EXPECT_TRUE((Matcher{{"s*"}, {{"team", "web"}}}.fits("site", web)));
  EXPECT_FALSE((Matcher{{"s*"}, {{"team", "*"}}}.fits("site", {}))) << "a label that is not there has no value";
}

TEST(matcher, an_empty_one_fits_nothing) { EXPECT_FALSE((Matcher{}.fits("site", {{"team", "web"}}))); }

TEST(matcher, what_is_vitalds_own_is_fitted_by_its_whole_name_only) {
  EXPECT_FALSE((Matcher{{"*"}, {}}.fits("vitald", {})));
  EXPECT_FALSE((Matcher{{"vital*"}, {}}.fits("vitald", {})));
  EXPECT_FALSE((Matcher{{}, {{"team", "web"}}}.fits("vitald", {{"team", "web"}})));
  EXPECT_TRUE((Matcher{{"vitald"}, {}}.fits("vitald", {})));
}

TEST(matcher, is_written_as_on_a_command_line) {
  EXPECT_EQ((Matcher{{"api-*", "site"}, {{"team", "web"}}}.text()), "api-* site team=web");
}

}  // namespace
}  // namespace vitald::alerting
