#include "probes/json_path.hpp"

#include <gtest/gtest.h>

namespace vitald::probes {
namespace {

JsonFindings find(std::string_view text, const std::string& path) {
  const auto parsed = parse_json_path(path);
  EXPECT_TRUE(parsed) << path;
  const std::vector<JsonPath> paths{*parsed};
  return find_in_json(text, paths);
}

std::string show(std::string_view text, const std::string& path) { return find(text, path).values.at(0).show(); }

TEST(JsonPath, NamesOneValue) {
  constexpr auto text = R"({"a":{"b":[{"c d":"x"},5,-1.5,true,null,[],{}]},"a.b":7,"é":1})";
  EXPECT_EQ(show(text, "$.a.b[0]['c d']"), "'x'");
  EXPECT_EQ(show(text, R"($["a"].b[0]["c d"])"), "'x'");
  EXPECT_EQ(show(text, "$.a.b[1]"), "5");
  EXPECT_EQ(show(text, "$.a.b[2]"), "-1.5");
  EXPECT_EQ(show(text, "$.a.b[3]"), "true");
  EXPECT_EQ(show(text, "$.a.b[4]"), "null");
  EXPECT_EQ(show(text, "$.a.b[5]"), "a list");
  EXPECT_EQ(show(text, "$.a.b[6]"), "an object");
  EXPECT_EQ(show(text, "$['a.b']"), "7");
  EXPECT_EQ(show(text, "$.é"), "1");
  EXPECT_EQ(show(text, "$.a.b[7]"), "missing");
  EXPECT_EQ(show(text, "$.b"), "missing");
  EXPECT_EQ(show(text, "$.a[0]"), "missing");
  EXPECT_EQ(show(text, "$.a.b['0']"), "missing");
  EXPECT_EQ(show("\"whole\"", "$"), "'whole'");
}

TEST(JsonPath, AfterNestedListsTheIndexGoesOn) {
  EXPECT_EQ(show("[[1,2],{\"a\":3},4]", "$[2]"), "4");
  EXPECT_EQ(show("[[1,2],{\"a\":3},4]", "$[0][1]"), "2");
  EXPECT_EQ(show("[[1,2],{\"a\":3},4]", "$[1].a"), "3");
}

TEST(JsonPath, RefusesWhatItDoesNotKnow) {
  for (const auto* bad :
       {"", "a", ".a", "$a", "$.", "$..a", "$[", "$[]", "$[-1]", "$[*]", "$['a'", "$['a", "$[1", "$.a[?(@.b)]"}) {
    EXPECT_FALSE(parse_json_path(bad)) << bad;
  }
}

TEST(JsonPath, LabelsByTheLastName) {
  EXPECT_EQ(parse_json_path("$.meta.request_id")->last_name(), "request_id");
  EXPECT_EQ(parse_json_path("$.ids[0]")->last_name(), "ids");
  EXPECT_EQ(parse_json_path("$")->last_name(), "$");
}

TEST(JsonValues, AreEqualInKindAndValue) {
  const auto value = [](std::string_view text) { return find(text, "$").values.at(0); };
  EXPECT_TRUE(same_value(value("5"), value("5.0")));
  EXPECT_FALSE(same_value(value("5"), value("\"5\"")));
  EXPECT_FALSE(same_value(value("true"), value("1")));
  EXPECT_TRUE(same_value(value("null"), value("null")));
  EXPECT_FALSE(same_value(value("null"), JsonValue{}));
  EXPECT_TRUE(same_value(value("\"\\u00e9\""), value("\"é\"")));
  EXPECT_FALSE(same_value(value("9007199254740993"), value("9007199254740992")));
}

TEST(FindInJson, SaysWhereTheTextIsNoJson) {
  EXPECT_EQ(find("{\"a\":}", "$.a").error, "not valid JSON at byte 6");
  EXPECT_NE(find("", "$").error, "");
  EXPECT_NE(find("{\"a\":1} x", "$.a").error, "");
  EXPECT_NE(find("{\"a\":1e999}", "$.a").error, "");
  EXPECT_NE(find("\"\xff\"", "$").error, "");
  EXPECT_EQ(find("{\"a\":1}", "$.a").error, "");
}

TEST(FindInJson, AMegabyteOfBracketsEndsAtTheDepthLimit) {
  EXPECT_EQ(find(std::string(1 << 20, '['), "$").error, "nested more than 64 deep");
  EXPECT_EQ(find(std::string(64, '[') + std::string(64, ']'), "$").error, "");
}

}  // namespace
}  // namespace vitald::probes
