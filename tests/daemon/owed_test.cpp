#include "daemon/owed.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/ledger.hpp"
#include "store_support.hpp"

namespace vitald::daemon {
namespace {

using namespace testing;

alerting::Effects unused() {
  ADD_FAILURE() << "rewritten without need";
  return {};
}

Owed::Replay replayed(const std::filesystem::path& folder) {
  auto replay = Owed(folder).read();
  EXPECT_TRUE(replay);
  return replay ? std::move(*replay) : Owed::Replay{};
}

TEST(Owed, gives_back_every_part_of_a_batch_in_order) {
  Folder folder;
  Owed owed(folder.path());
  auto first = problem(1);
  first.settled = {{"incident0", 7, "ops"}};
  first.checks.push_back({"gone", "", true});
  ASSERT_TRUE(owed.append(first, unused));
  ASSERT_TRUE(owed.append(problem(2), unused));
  const auto replay = replayed(folder.path());
  ASSERT_EQ(replay.batches.size(), 2u);
  const auto& batch = replay.batches[0];
  EXPECT_EQ(batch.checks[0].state, "{\"bad\":1}");
  EXPECT_TRUE(batch.checks[1].removed);
  EXPECT_EQ(to_json(batch.incidents[0]), to_json(first.incidents[0]));
  EXPECT_EQ(to_json(batch.outbox[0]), to_json(first.outbox[0]));
  EXPECT_EQ(batch.settled, first.settled);
  EXPECT_EQ(replay.batches[1].incidents[0].id, "incident2");
}

TEST(Owed, ignores_a_torn_last_line_wherever_it_was_torn) {
  Folder folder;
  {
    Owed owed(folder.path());
    ASSERT_TRUE(owed.append(problem(1), unused));
    ASSERT_TRUE(owed.append(problem(2), unused));
  }
  const std::string whole = bytes_of(folder / "owed");
  const std::size_t first_line = whole.find('\n') + 1;
  for (std::size_t length = first_line; length < whole.size(); length += 7) {
    write_bytes(folder / "owed", whole.substr(0, length));
    Owed owed(folder.path());
    const auto replay = owed.read();
    ASSERT_TRUE(replay);
    ASSERT_EQ(replay->batches.size(), 1u) << "cut at " << length;
    ASSERT_EQ(replay->damaged, 0u);
    ASSERT_TRUE(owed.append(problem(3), unused));
    ASSERT_EQ(replayed(folder.path()).batches.size(), 2u)
        << "what comes after the torn line is lost, cut at " << length;
  }
}

TEST(Owed, skips_and_counts_lines_with_a_wrong_checksum) {
  Folder folder;
  {
    Owed owed(folder.path());
    for (int i = 1; i <= 3; ++i) ASSERT_TRUE(owed.append(problem(i), unused));
  }
  std::string bytes = bytes_of(folder / "owed");
  bytes[bytes.find("incident2")] = 'I';
  write_bytes(folder / "owed", bytes);
  const auto replay = replayed(folder.path());
  EXPECT_EQ(replay.damaged, 1u);
  ASSERT_EQ(replay.batches.size(), 2u);
  EXPECT_EQ(replay.batches[1].incidents[0].id, "incident3");
}

TEST(Owed, survives_any_bytes) {
  Folder folder;
  for (const char* bytes :
       {"\n\n\n", "00000000 {}\n", "zzzzzzzz []\n", "short\n", "no newline", "4aa2cae9 {\"checks\":[1]}\n"}) {
    write_bytes(folder / "owed", bytes);
    EXPECT_TRUE(replayed(folder.path()).batches.empty()) << bytes;
  }
}

TEST(Owed, is_rewritten_to_the_latest_when_it_would_grow_over_its_bound) {
  Folder folder;
  Ledger all;
  Owed owed(folder.path(), 4096);
  for (int i = 0; i < 200; ++i) {
    alerting::Effects refresh;
    refresh.checks = {check("api", "{\"run\":" + std::to_string(i) + "}")};
    all.apply(refresh);
    ASSERT_TRUE(owed.append(refresh, [&] { return all.effects(); }));
    ASSERT_LE(std::filesystem::file_size(folder / "owed"), 4096u);
  }
  EXPECT_EQ(replayed(folder.path()).batches.back().checks[0].state, "{\"run\":199}");
  EXPECT_FALSE(std::filesystem::exists(folder / "owed.new"));
}

TEST(Owed, gives_up_what_checks_remember_before_what_people_are_owed) {
  Folder folder;
  Owed owed(folder.path(), 4096);
  auto batch = problem(1);
  batch.checks = {check("api", "\"" + std::string(5000, 'x') + "\"")};
  ASSERT_TRUE(owed.append(batch, [&] { return batch; }));
  const auto replay = replayed(folder.path());
  ASSERT_EQ(replay.batches.size(), 1u);
  EXPECT_TRUE(replay.batches[0].checks.empty());
  EXPECT_EQ(replay.batches[0].outbox.size(), 1u);
}

TEST(Owed, is_private_closed_on_exec_and_follows_no_link) {
  Folder folder;
  Owed owed(folder.path());
  ASSERT_TRUE(owed.append(problem(1), unused));
  struct stat found {};
  ASSERT_EQ(::stat((folder / "owed").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);

  Folder hostile;
  write_bytes(hostile / "victim", "precious");
  std::filesystem::create_symlink(hostile / "victim", hostile / "owed");
  EXPECT_FALSE(Owed(hostile.path()).append(problem(1), unused));
  EXPECT_EQ(bytes_of(hostile / "victim"), "precious");
}

TEST(Owed, is_empty_after_clear) {
  Folder folder;
  Owed owed(folder.path());
  EXPECT_TRUE(owed.clear());
  EXPECT_FALSE(std::filesystem::exists(folder / "owed")) << "nothing owed, no file";
  ASSERT_TRUE(owed.append(problem(1), unused));
  EXPECT_FALSE(owed.empty());
  ASSERT_TRUE(owed.clear());
  EXPECT_TRUE(owed.empty());
  EXPECT_TRUE(replayed(folder.path()).batches.empty());
}

TEST(Ledger, folds_many_batches_into_one_with_the_same_outcome) {
  Ledger ledger;
  ledger.apply(problem(1));
  ledger.apply(problem(2));
  ledger.apply(delivered(1));
  alerting::Effects closing;
  closing.incidents = {closed(incident("incident1", "check:1"), a_night)};
  closing.outbox = {notification("incident1", 2)};
  ledger.apply(closing);
  const auto all = ledger.effects();
  ASSERT_EQ(all.incidents.size(), 2u);
  EXPECT_TRUE(all.incidents[0].closed) << "closed ones come first: a subject may have passed on";
  ASSERT_EQ(all.outbox.size(), 2u);
  EXPECT_EQ(all.outbox[0].id.incident, "incident2");
  EXPECT_EQ(all.outbox[1].id.sequence, 2u);
  ASSERT_EQ(all.settled.size(), 1u) << "the store may have the row";
  EXPECT_EQ(ledger.snapshot().incidents.size(), 1u);
}

TEST(Ledger, never_brings_back_what_is_settled) {
  Ledger ledger;
  ledger.apply(delivered(1));
  ledger.apply(problem(1));
  EXPECT_TRUE(ledger.effects().outbox.empty());
}

TEST(Ledger, of_obligations_forgets_what_is_over) {
  Ledger open(Ledger::Keep::obligations);
  open.apply(problem(1));
  open.apply(delivered(1));
  alerting::Effects closing;
  closing.incidents = {closed(incident("incident1", "check:1"), a_night)};
  open.apply(closing);
  EXPECT_TRUE(open.empty());
}

}  // namespace
}  // namespace vitald::daemon
