// The house rules (docs/style.md) applied to the whole tree, and each rule shown to catch what it is there for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tidy/rules.hpp"

namespace vitald::tidy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::vector<Source>& tree() {
  static const std::vector<Source> sources = source_tree();
  return sources;
}

void holds_everywhere(Findings (*rule)(const Source&)) {
  ASSERT_GT(tree().size(), 20u) << "the source tree was not found";
  for (const Source& source : tree()) {
    for (const std::string& what : rule(source)) ADD_FAILURE() << what;
  }
}

TEST(Tree, IncludesOnlyWhatItMaySee) { holds_everywhere(include_rule); }
TEST(Tree, HasShortLinesAndFiles) { holds_everywhere(size_rule); }
TEST(Tree, HasShortFunctions) { holds_everywhere(function_rule); }
TEST(Tree, UsesNoBannedWord) { holds_everywhere(word_rule); }
TEST(Tree, AwaitsOneThingInOneStatement) { holds_everywhere(await_rule); }
TEST(Tree, HasNoNakedNewOrDelete) { holds_everywhere(ownership_rule); }
TEST(Tree, HasTypeNamesThatSayWhatTheyAre) { holds_everywhere(name_rule); }
TEST(Tree, HasFewLongFiles) { EXPECT_THAT(overall_size_rule(tree()), IsEmpty()); }

TEST(SourceText, LosesCommentsAndLiteralsButKeepsItsLines) {
  const Source source("config/a.cpp",
                      "int a; // new\n/* new\n */ f(\"new\\\" new\", 'n', R\"x(new)\" new)x\", 1'000);\nnew");
  EXPECT_THAT(source.find_word("new"), ElementsAre(source.text.size() - 3));
  EXPECT_EQ(source.line_of(source.text.size() - 1), 4);
  EXPECT_EQ(source.code.size(), source.text.size());
}

Findings including(const std::string& path, const std::string& what) {
  return include_rule(Source(path, "#include " + what + "\n"));
}

TEST(IncludeRule, KeepsTheDiamond) {
  EXPECT_THAT(including("alerting/x.cpp", "\"probes/probe.hpp\""), SizeIs(1));
  EXPECT_THAT(including("probes/x.cpp", "\"alerting/engine.hpp\""), SizeIs(1));
  EXPECT_THAT(including("config/x.cpp", "\"daemon/board.hpp\""), SizeIs(1));
  EXPECT_THAT(including("daemon/x.cpp", "\"tests/tidy/rules.hpp\""), SizeIs(1));
  EXPECT_THAT(including("daemon/x.cpp", "\"alerting/engine.hpp\""), IsEmpty());
  EXPECT_THAT(including("probes/net/x.cpp", "\"../../alerting/engine.hpp\""), SizeIs(2));
  EXPECT_THAT(including("probes/net/x.cpp", "\"../probe.hpp\""), ElementsAre(HasSubstr("write probes/probe.hpp")));
}

TEST(IncludeRule, KeepsLibrariesWhereTheyBelong) {
  EXPECT_THAT(including("alerting/x.cpp", "<boost/asio/awaitable.hpp>"), SizeIs(1));
  EXPECT_THAT(including("config/x.cpp", "<sqlite3.h>"), SizeIs(1));
  EXPECT_THAT(including("probes/x.cpp", "<sqlite3.h>"), SizeIs(1));
  EXPECT_THAT(including("daemon/sqlite_store.cpp", "<sqlite3.h>  // the store"), IsEmpty());
  EXPECT_THAT(including("config/node.cpp", "<yaml-cpp/eventhandler.h>"), SizeIs(1));
  EXPECT_THAT(including("config/document.cpp", "<yaml-cpp/eventhandler.h>"), IsEmpty());
  EXPECT_THAT(including("probes/tls.cpp", "<boost/beast/http.hpp>"), SizeIs(1));
  EXPECT_THAT(including("probes/net/http_codec.cpp", "<boost/beast/http.hpp>"), IsEmpty());
  EXPECT_THAT(including("probes/net/http.cpp", "<boost/asio/experimental/awaitable_operators.hpp>"), SizeIs(1));
  EXPECT_THAT(including("probes/http.cpp", "<regex>"), SizeIs(1));
}

TEST(SizeRule, CountsLinesAndColumns) {
  EXPECT_THAT(size_rule(Source("config/a.cpp", std::string(501, '\n'))), SizeIs(1));
  EXPECT_THAT(size_rule(Source("config/a.cpp", std::string(500, '\n'))), IsEmpty());
  EXPECT_THAT(size_rule(Source("config/a.cpp", "\n" + std::string(121, 'x') + "\n")),
              ElementsAre(HasSubstr("a.cpp:2:")));
  std::string umlauts = "// ";
  for (int i = 0; i < 117; ++i) umlauts += "ä";
  EXPECT_THAT(size_rule(Source("config/a.cpp", umlauts + "\n")), IsEmpty());
}

TEST(OverallSizeRule, AllowsOneLongFileInTwenty) {
  std::vector<Source> sources(19, Source("config/a.cpp", "\n"));
  sources.emplace_back("config/long.cpp", std::string(301, '\n'));
  EXPECT_THAT(overall_size_rule(sources), IsEmpty());
  sources.emplace_back("config/long2.cpp", std::string(301, '\n'));
  EXPECT_THAT(overall_size_rule(sources), SizeIs(2));
}

TEST(FunctionRule, MeasuresFunctionsButNotScopesAndTables) {
  const std::string lines(70, '\n');
  EXPECT_THAT(function_rule(Source("config/a.cpp", "namespace a {\nint f(int x) {" + lines + "}\n}")), SizeIs(1));
  EXPECT_THAT(
      function_rule(Source("config/a.cpp", "class A {\ntemplate <class T>\nvoid f(T x) const {" + lines + "}\n};")),
      SizeIs(1));
  EXPECT_THAT(function_rule(Source("config/a.cpp", "A::A(int x) : a_{x}, b_(2) {" + lines + "}\n")), SizeIs(1));
  EXPECT_THAT(function_rule(Source("config/a.cpp", "int f(int x) {" + std::string(69, '\n') + "}\n")), IsEmpty());
  EXPECT_THAT(function_rule(Source("config/a.cpp", "struct A {" + lines + "};\nconst int t[] = {" + lines + "};")),
              IsEmpty());
}

Findings words_in(const std::string& path, const std::string& code) { return word_rule(Source(path, code)); }

TEST(WordRule, FindsWhatIsBannedEverywhere) {
  EXPECT_THAT(words_in("probes/a.cpp", "std::regex pattern;"), SizeIs(1));
  EXPECT_THAT(words_in("probes/a.cpp", "using namespace std;"), SizeIs(1));
  EXPECT_THAT(words_in("probes/a.cpp", "resolver.async_resolve(host);"), SizeIs(1));
  EXPECT_THAT(words_in("probes/a.cpp", "using namespace boost::asio::experimental::awaitable_operators;"), SizeIs(1));
  EXPECT_THAT(words_in("probes/a.cpp", "#ifdef UNIT_TEST\n"), SizeIs(1));
  EXPECT_THAT(words_in("probes/a.cpp", "# define MAX(a) a\n"), SizeIs(1));
  EXPECT_THAT(words_in("probes/a.cpp",
                       "// TO"
                       "DO: later"),
              SizeIs(1));
  EXPECT_THAT(words_in("probes/a.cpp", "int r = system(\"ls\");"), SizeIs(1));
  EXPECT_THAT(words_in("probes/a.cpp", "std::system_error e; // steady_clock::now\n"), IsEmpty());
}

TEST(WordRule, AllowsClocksAndTheEnvironmentInTheirFiles) {
  EXPECT_THAT(words_in("alerting/a.cpp", "auto t = std::chrono::steady_clock::now();"), SizeIs(1));
  EXPECT_THAT(words_in("daemon/store.cpp", "std::chrono::system_clock::now(); time(nullptr); clock_gettime(id, &t);"),
              SizeIs(3));
  EXPECT_THAT(words_in("daemon/clock.cpp", "std::chrono::steady_clock::now();"), IsEmpty());
  EXPECT_THAT(words_in("tests/daemon/a_test.cpp", "std::chrono::steady_clock::now();"), IsEmpty());
  EXPECT_THAT(words_in("daemon/app.cpp", "getenv(\"HOME\");"), SizeIs(1));
  EXPECT_THAT(words_in("config/secret.cpp", "std::getenv(name);"), IsEmpty());
}

Findings awaits_in(const std::string& code) { return await_rule(Source("probes/a.cpp", code)); }

TEST(AwaitRule, RejectsWhatGcc12Miscompiles) {
  EXPECT_THAT(awaits_in("auto x = co_await f({\"a\", \"b\"});"), SizeIs(1));
  EXPECT_THAT(awaits_in("auto x = co_await f(Req{.host = h});"), SizeIs(1));
  EXPECT_THAT(awaits_in("auto x = c ? co_await a() : co_await b();"), SizeIs(1));
  EXPECT_THAT(awaits_in("bool x = (co_await a()).size() && y;"), SizeIs(1));
  EXPECT_THAT(awaits_in("if (x || co_await a()) return;"), SizeIs(1));
  EXPECT_THAT(awaits_in("co_await co_spawn(ex, [s] { return s; }, use_awaitable);"), SizeIs(1));
  EXPECT_THAT(awaits_in("Out out{co_await x()};"), SizeIs(1));
  EXPECT_THAT(awaits_in("f(co_await a(), co_await b());"), SizeIs(1));
  EXPECT_THAT(awaits_in("auto x = co_await f(a,\n    Req{1});"), SizeIs(1));
}

TEST(AwaitRule, AllowsOnePlainAwait) {
  EXPECT_THAT(awaits_in("{ auto x = co_await f(a, b); co_return co_await g(x); }"), IsEmpty());
  EXPECT_THAT(awaits_in("if (a && b) { co_await f(); } else { co_await g(); }"), IsEmpty());
  EXPECT_THAT(awaits_in("if (a && b) co_await f(); else co_await g();"), IsEmpty());
  EXPECT_THAT(awaits_in("for (int i = 0; a || i < 3; ++i) co_await f(i);"), IsEmpty());
  EXPECT_THAT(awaits_in("while (co_await more()) { count(); }"), IsEmpty());
  EXPECT_THAT(awaits_in("auto&& x = co_await f(); const bool y = x && z;"), IsEmpty());
  EXPECT_THAT(awaits_in("auto body = [&]() -> awaitable<void> { co_await f(); };"), IsEmpty());
  EXPECT_THAT(awaits_in("f(a ? b : c); // co_await f({})\nco_await g();"), IsEmpty());
}

TEST(OwnershipRule, FindsNakedNewAndDelete) {
  EXPECT_THAT(ownership_rule(Source("daemon/a.cpp", "auto* a = new int; delete a;")), SizeIs(2));
  EXPECT_THAT(ownership_rule(Source("daemon/a.cpp", "std::unique_ptr<A> a; f(new A);")), SizeIs(1));
  EXPECT_THAT(ownership_rule(Source("daemon/a.cpp", "std::unique_ptr<A> a(new A); return std::unique_ptr<A>(new A);")),
              IsEmpty());
  EXPECT_THAT(ownership_rule(Source("daemon/a.cpp", "A(const A&) = delete; // new\nint renewed, new_one;")), IsEmpty());
}

TEST(NameRule, FindsNamesThatSayNothing) {
  EXPECT_THAT(name_rule(Source("daemon/a.hpp", "class CheckManager {};\nstruct StringUtils;")), SizeIs(2));
  EXPECT_THAT(name_rule(Source("daemon/a.hpp", "class Helper {};\nstruct Database {};")), IsEmpty());
}

}  // namespace
}  // namespace vitald::tidy
