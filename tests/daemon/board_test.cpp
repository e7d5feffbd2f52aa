#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/overview.hpp"
#include "tests/support/fake_operations.hpp"

namespace vitald::daemon {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(const Board::Rows& rows) {
  std::vector<std::string> all;
  for (const auto& one : rows) all.push_back(one->check);
  return all;
}

void put(Board& board, BoardRow one) { board.put(std::make_shared<const BoardRow>(std::move(one))); }

TEST(Board, ReplacesTheRowOfItsCheckAndKeepsThePlace) {
  Board board;
  put(board, row("a"));
  put(board, row("b"));
  const Board::Rows before = board.rows();
  put(board, row("a", Status::critical, "refused"));
  EXPECT_THAT(names(board.rows()), ElementsAre("a", "b"));
  EXPECT_EQ(board.find("a")->view.why, "refused");
  EXPECT_EQ(before[0]->view.why, "200 in 38 ms") << "a reader's copy must not change under it";
  EXPECT_EQ(board.find("c"), nullptr);
}

TEST(Board, ArrangesForAReload) {
  Board board;
  for (const char* name : {"a", "b", "c"}) put(board, row(name));
  board.arrange({"c", "new", "a", "a"});
  EXPECT_THAT(names(board.rows()), ElementsAre("c", "a"));
  EXPECT_EQ(board.find("b"), nullptr);
  put(board, row("a", Status::warning, "slow"));
  EXPECT_THAT(names(board.rows()), ElementsAre("c", "a"));
  EXPECT_EQ(board.rows()[1]->view.why, "slow");
}

BoardRow with_errors(std::uint64_t runs, double errors) {
  BoardRow made = row("disk");
  made.kind = &disk_kind;
  made.runs = runs;
  made.observation.samples = {{.name = "errors", .value = errors, .labels = {{"mount", "/"}}}};
  return made;
}

TEST(Board, AddsUpEventsOncePerRun) {
  Board board;
  put(board, with_errors(1, 2));
  put(board, with_errors(2, 3));
  put(board, with_errors(2, 3));  // the same run again: only the engine's view of it changed
  BoardRow silent = with_errors(3, 0);
  silent.observation.samples.clear();
  put(board, silent);
  ASSERT_EQ(board.find("disk")->events.size(), 1u);
  EXPECT_EQ(board.find("disk")->events[0].value, 5);
}

TEST(Overview, CountsAndPutsTheWorstFirst) {
  Board board;
  put(board, row("fine"));
  put(board, row("slow", Status::warning));
  put(board, row("blind", Status::unknown));
  put(board, row("down", Status::critical));
  BoardRow fresh = row("fresh", Status::unknown);
  fresh.runs = 0;
  fresh.view.observed = false;
  fresh.view.settled = Status::ok;
  put(board, fresh);
  const Overview all = overview(board.rows(), 3);
  std::vector<std::string> shown;
  for (const BoardRow* one : all.rows) shown.push_back(one->check);
  EXPECT_THAT(shown, ElementsAre("down", "blind", "slow"));
  EXPECT_EQ(all.headline(), "3 of 5 checks need attention");
  EXPECT_EQ(all.worst(), Standing::critical);
  EXPECT_EQ(all.waiting, 1u);
  EXPECT_EQ(all.ok, 1u);
}

TEST(Overview, KeepsACheckBadUntilItsRecoveryIsConfirmed) {
  BoardRow back = row("web");
  back.view.settled = Status::critical;
  back.view.seen = 1;
  back.view.needed = 2;
  EXPECT_EQ(standing(back), Standing::critical);
  EXPECT_EQ(confirming(back), "recovering: 1 of 2 good runs");
}

TEST(Overview, SaysItInWords) {
  const auto says = [](std::size_t total, std::size_t bad, std::size_t waiting) {
    Overview all;
    all.total = total;
    all.critical = bad;
    all.waiting = waiting;
    return all.headline();
  };
  EXPECT_EQ(says(0, 0, 0), "No checks are configured");
  EXPECT_EQ(says(1, 0, 0), "The one check is well");
  EXPECT_EQ(says(31, 0, 0), "All 31 checks are well");
  EXPECT_EQ(says(31, 1, 4), "1 of 31 checks needs attention");
  EXPECT_EQ(says(3, 0, 3), "Waiting for the first runs of 3 checks");
  EXPECT_EQ(says(3, 0, 1), "No trouble so far, 1 of 3 checks not yet run");
}

}  // namespace
}  // namespace vitald::daemon
