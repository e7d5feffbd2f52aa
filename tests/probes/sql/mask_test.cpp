#include "probes/sql/mask.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitald::probes::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string mysql(std::string_view text) { return mask_literals(text, Dialect::mysql); }
std::string postgres(std::string_view text) { return mask_literals(text, Dialect::postgres); }

TEST(Mask, StringsAndNumbersBecomeQuestionMarks) {
  EXPECT_EQ(mysql("SELECT * FROM users WHERE email = 'ann@example.com' AND age > 30 LIMIT 10"),
            "SELECT * FROM users WHERE email = ? AND age > ? LIMIT ?");
  EXPECT_EQ(mysql("SELECT -1.5, .5, 1e-3, 1E+10, 0xDEADbeef, x'00ff', b'01', _utf8mb4'é', N'x', ''"),
            "SELECT -?, ?, ?, ?, ?, ?, ?, ?, ?, ?");
  EXPECT_EQ(mysql("VALUES('it''s', \"a \"\"word\"\"\", 'a\\nb', 'c\\\\')"), "VALUES(?, ?, ?, ?)");
}

TEST(Mask, NamesStay) {
  EXPECT_EQ(mysql("SELECT t1.id2, `odd 'name 7` FROM db1.t1"), "SELECT t1.id2, `odd 'name 7` FROM db1.t1");
  EXPECT_EQ(postgres(R"(SELECT "Order 7" FROM shop.orders_2026 WHERE id = $1 AND x = $12)"),
            R"(SELECT "Order 7" FROM shop.orders_2026 WHERE id = $1 AND x = $12)");
  EXPECT_EQ(mysql("SELECT \"secret\""), "SELECT ?");
}

TEST(Mask, CommentsAndBlanksGo) {
  EXPECT_EQ(mysql("SELECT /* user 'ann' */ a -- token 77\n , b # more 'x\n FROM\t\tt /*!40101 WHERE x=1 */  "),
            "SELECT a , b FROM t");
  EXPECT_EQ(postgres("SELECT 1 /* a /* b */ 'still' */ + 2 # 3"), "SELECT ? + ? # ?");
  EXPECT_EQ(mysql("SELECT a /* never closed 'x'"), "SELECT a");
}

TEST(Mask, PostgresHasStringsBetweenDollars) {
  EXPECT_EQ(postgres("SELECT $$secret$$, $q$it's $$ all$q$, E'a', U&'b'"), "SELECT ?, ?, ?, U&?");
  EXPECT_THAT(postgres("SELECT $x$secret"), Not(HasSubstr("secret")));
}

TEST(Mask, NothingIsShownAfterAStringWhoseEndIsInDoubt) {
  for (const auto& shown : {mysql(R"(SELECT 'a\' OR 'secret')"), postgres(R"(SELECT 'a\', secret, 'x')"),
                            mysql("SELECT 'secret that was cut"), mysql("SELECT `secret that was cut")}) {
    EXPECT_EQ(shown, "SELECT ? …");
  }
}

TEST(Mask, IsBoundedAndValid) {
  const std::string shown = mysql(std::string(100'000, 'a'));
  EXPECT_LE(shown.size(), 310u);
  EXPECT_EQ(mysql("SELECT \x01\xff"), "SELECT ??");
  EXPECT_EQ(mysql(""), "");
}

}  // namespace
}  // namespace vitald::probes::sql
