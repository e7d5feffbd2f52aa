#include "daemon/admission.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vitald::daemon {
namespace {

TEST(Admission, BelowTheBoundEverythingStartsAtOnce) {
  Admission admission(10);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(admission.enter("a", i));
  for (std::size_t i = 5; i < 10; ++i) EXPECT_TRUE(admission.enter("b", i));
  EXPECT_FALSE(admission.enter("c", 10));
  EXPECT_EQ(admission.running(), 10U);
  EXPECT_EQ(admission.waiting(), 1U);
}

TEST(Admission, OneTargetGetsHalfAtMost) {
  Admission admission(10);
  for (std::size_t i = 0; i < 100; ++i) admission.enter("dead", i);
  EXPECT_EQ(admission.running(), 5U);
  EXPECT_TRUE(admission.enter("healthy", 100)) << "a thousand hanging checks of one host leave room for the others";
}

TEST(Admission, WaitingRunsAreServedByTargetInTurn) {
  Admission admission(2);
  ASSERT_TRUE(admission.enter("a", 0));
  ASSERT_TRUE(admission.enter("b", 1));
  for (const std::size_t ticket : {10U, 11U, 12U}) ASSERT_FALSE(admission.enter("a", ticket));
  ASSERT_FALSE(admission.enter("b", 20));
  ASSERT_FALSE(admission.enter("c", 30));
  std::vector<std::size_t> order;
  order.push_back(*admission.leave("a"));
  order.push_back(*admission.leave("b"));
  EXPECT_EQ(order, (std::vector<std::size_t>{10, 20}));
  EXPECT_EQ(admission.leave("b"), 30U);
  EXPECT_EQ(admission.leave("c"), std::nullopt) << "only a's wait, and a has its half already";
  EXPECT_EQ(admission.leave("a"), 11U);
  EXPECT_EQ(admission.leave("a"), 12U);
  EXPECT_EQ(admission.leave("a"), std::nullopt);
  EXPECT_EQ(admission.running(), 0U);
  EXPECT_EQ(admission.waiting(), 0U);
}

}  // namespace
}  // namespace vitald::daemon
