#include "probes/remembered.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vitald::probes {
namespace {

TEST(Remembered, ComesBackAsItWas) {
  Remembered out;
  out.set("cursor", "s=a;i=1\nsecond line \\n not a break");
  out.set("empty", "");
  out.set("third", 1.0 / 3);
  out.set("large", 1e300);
  const auto in = Remembered::read(out.written());
  EXPECT_EQ(in.all(), out.all());
  EXPECT_EQ(in.text("cursor"), "s=a;i=1\nsecond line \\n not a break");
  EXPECT_EQ(in.text("empty"), "");
  EXPECT_EQ(in.number("third"), 1.0 / 3);
  EXPECT_EQ(in.number("large"), 1e300);
}

TEST(Remembered, TheSameValuesMakeTheSameText) {
  Remembered one, other;
  one.set("a", 1.0), one.set("b", "x");
  other.set("b", "x"), other.set("a", 1.0);
  EXPECT_EQ(one.written(), other.written());
}

TEST(Remembered, LeavesOutWhatMakesNoSense) {
  const auto in = Remembered::read("word\n leading\n\ngood 5\nbad 5x\nendless inf\nlast 7");
  EXPECT_EQ(in.number("good"), 5);
  EXPECT_EQ(in.number("last"), 7);
  EXPECT_FALSE(in.number("bad"));
  EXPECT_FALSE(in.number("endless"));
  EXPECT_FALSE(in.text("word"));
  EXPECT_FALSE(in.text("absent"));
  EXPECT_EQ(in.all().size(), 4u);
}

}  // namespace
}  // namespace vitald::probes
