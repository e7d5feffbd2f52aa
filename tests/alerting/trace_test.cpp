// The chain of reasons: bounded, folded, the same after a restart, and fit to be read when foreign text is in it.
#include "alerting/trace.hpp"

#include <gtest/gtest.h>

#include "alerting/story.hpp"

namespace vitald::alerting {
namespace {

Wall at(int second) { return Wall(std::chrono::seconds(1'795'303'365 + second)); }

std::vector<std::string> texts(const Trace& trace) {
  std::vector<std::string> all;
  for (const Reason& reason : trace.reasons()) all.push_back(reason.text);
  return all;
}

using Texts = std::vector<std::string>;

TEST(Trace, counts_what_is_said_again_at_once_or_in_turn_with_one_other) {
  Trace trace(Trace::of_a_check);
  for (int second = 0; second < 100; second += 2) {
    trace.add(at(second), "bad");
    trace.add(at(second + 1), "good");
  }
  ASSERT_EQ(texts(trace), (Texts{"bad", "good"}));
  EXPECT_EQ(trace.reasons()[0].times, 50);
  EXPECT_EQ(trace.reasons()[0].first, at(0));
  EXPECT_EQ(trace.reasons()[0].at, at(98));
}

TEST(Trace, keeps_what_was_said_in_between_in_order) {
  Trace trace(Trace::of_a_check);
  for (const char* text : {"1 of 4", "2 of 4", "3 of 4", "1 of 4"}) trace.add(at(0), text);
  EXPECT_EQ(texts(trace), (Texts{"1 of 4", "2 of 4", "3 of 4", "1 of 4"}));
}

TEST(Trace, drops_the_oldest_but_those_that_are_kept_for_good) {
  Trace trace(Trace::Bounds{5, 1000, 2});
  for (int number = 0; number < 20; ++number) trace.add(at(number), std::to_string(number));
  EXPECT_EQ(texts(trace), (Texts{"0", "1", "17", "18", "19"}));
  EXPECT_EQ(trace.dropped(), 15u);
}

TEST(Trace, is_bounded_in_bytes) {
  Trace trace(Trace::of_a_check);
  for (int number = 0; number < 100; ++number) trace.add(at(number), std::to_string(number) + std::string(5000, 'x'));
  EXPECT_LT(trace.to_text().size(), 6000u);
  EXPECT_FALSE(trace.reasons().empty());
}

TEST(Trace, is_the_same_after_a_round_trip) {
  Trace trace(Trace::of_an_incident);
  trace.add(at(0), "a line\nthat is two, \xFF and \x01");
  trace.add(at(1), "same");
  trace.add(at(2), "same");
  Trace read(Trace::of_an_incident);
  read.read(trace.to_text());
  EXPECT_EQ(texts(read), texts(trace));
  EXPECT_EQ(read.to_text(), trace.to_text());
  EXPECT_EQ(read.reasons()[1].times, 2);
}

TEST(Trace, reads_nothing_out_of_nonsense) {
  Trace trace(Trace::of_a_check);
  trace.read(
      "\n \nx y z w\n1 2\n1 2 3\n99999999999999999999 1 1 a\n9223372036854775807 1 1 b\n1 1 0 c\n1 1 -4 d\n1 2 1 ");
  EXPECT_TRUE(trace.reasons().empty());
  trace.read("1000 2000 3 well\ngarbage");
  EXPECT_EQ(texts(trace), Texts{"well"});
}

TEST(PostMortem, foreign_text_cannot_break_its_form) {
  Story story;
  story.record.id = "k3v9abcdefghjkmnpqrs";
  story.record.opened = story.facts.opened = at(0);
  story.record.closed = at(372);
  story.facts.check = "web|`x`";
  story.facts.instance = "web-1";
  story.facts.summary = "<script>alert(1)</script> | # x";
  story.record.told["ops"] = {.messages = 1, .first = at(1), .last = at(1)};
  story.reached.insert("ops");
  story.first_bad = {at(0), "bad", {{"log", "one\n```\n# two"}}};
  story.timeline.push_back({at(1), at(1), 1, "a | b"});
  const std::string text = report_of(story, at(1000));
  EXPECT_EQ(text.find("\n# two"), std::string::npos);
  EXPECT_NE(text.find("\n\\<script\\>"), std::string::npos) << text;
  EXPECT_EQ(text.find("\n<script"), std::string::npos) << text;
  EXPECT_NE(text.find("| a \\| b |"), std::string::npos) << text;
  EXPECT_NE(text.find("\n    # two\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| Duration | 6 min 12 s |"), std::string::npos) << text;
  EXPECT_NE(text.find("## Prevention"), std::string::npos);
}

}  // namespace
}  // namespace vitald::alerting
