#include "probes/foreign_text.hpp"

#include <gtest/gtest.h>

namespace vitald::probes {
namespace {

TEST(ForeignText, KeepsWhatIsFitToBeRead) {
  EXPECT_EQ(foreign_text("200 OK, Grüße, 日本, 🙂"), "200 OK, Grüße, 日本, 🙂");
}

TEST(ForeignText, StaysOnOneLineAndObeysNoTerminal) {
  EXPECT_EQ(foreign_text("a\r\nb\tc"), "a  b c");
  EXPECT_EQ(foreign_text(std::string_view("a\0\x1b[31m\x7f\xc2\x9b"
                                          "31m",
                                          13)),
            "a??[31m??31m");
}

TEST(ForeignText, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(foreign_text("a\xff"
                         "b\xc3"),
            "a?b?");
  EXPECT_EQ(foreign_text("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(foreign_text("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(foreign_text("\xf4\x90\x80\x80"), "????");  // above U+10FFFF
}

TEST(ForeignText, IsCutBetweenCharacters) {
  EXPECT_EQ(foreign_text("abcdef", 3), "abc…");
  EXPECT_EQ(foreign_text("abc", 3), "abc");
  EXPECT_EQ(foreign_text("aüb", 2), "a…");
}

}  // namespace
}  // namespace vitald::probes
