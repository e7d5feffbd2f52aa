#include "daemon/recorder.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "daemon/recording.hpp"
#include "store_support.hpp"

namespace vitald::daemon {
namespace {

using namespace testing;
using namespace std::chrono_literals;

/// A vault that does as it is told: it stalls while it is held, fails while it is broken, and remembers what it took.
class FakeVault final : public Vault {
 public:
  Result<void> commit(std::span<const alerting::Effects> group) override {
    std::unique_lock lock(mutex_);
    ++entered_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_ || passes_ > 0; });
    if (held_) --passes_;
    if (broken_) return Failure{"", *broken_};
    for (const auto& effects : group) ledger_.apply(effects);
    groups_.push_back(group.size());
    return {};
  }
  Result<std::string> reopen(Wall) override {
    const std::lock_guard lock(mutex_);
    ++reopened_;
    if (broken_) return Failure{"", *broken_};
    if (!std::exchange(lost_, false)) return std::string();
    ledger_.clear();
    return std::string("nothing could be read from the damaged file");
  }
  std::string remedy() const override { return "do something"; }

  void hold() {
    set([&] { held_ = true; });
  }
  void let_go() {
    set([&] { held_ = false; });
  }
  /// One commit, the next one is held again.
  void let_one_go() {
    set([&] { ++passes_; });
  }
  void breaks(const std::string& why) {
    set([&] { broken_ = why; });
  }
  void heals() {
    set([&] { broken_.reset(); });
  }
  void loses_its_file() {
    set([&] { lost_ = true; });
  }
  /// Blocks until so many commits have begun.
  void wait_for_commits(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_ >= count; });
  }
  alerting::Snapshot content() {
    const std::lock_guard lock(mutex_);
    return ledger_.snapshot();
  }
  int reopened() {
    const std::lock_guard lock(mutex_);
    return reopened_;
  }
  std::vector<std::size_t> groups() {
    const std::lock_guard lock(mutex_);
    return groups_;
  }

 private:
  template <class Change>
  void set(const Change& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Ledger ledger_;
  std::vector<std::size_t> groups_;
  std::optional<std::string> broken_;
  bool held_ = false;
  int passes_ = 0;
  bool lost_ = false;
  int entered_ = 0;
  int reopened_ = 0;
};

/// The recorder over a fake vault, and everything that it said.
class Fixture : public ::testing::Test {
 protected:
  void begin(RecorderLimits limits = {.patience = 1h, .retry = 1h, .farewell = 1h}, RecorderStart start = {}) {
    recorder = make_recorder(vault, Owed(folder.path()), loop.get_executor(), clock, callbacks(), start, limits);
  }
  Recorder::Callbacks callbacks() {
    return {[this](std::vector<alerting::Notification> list) {
              for (auto& message : list) released.push_back(message.id.incident + (message.unsaved ? " unsaved" : ""));
            },
            [this](std::string summary, std::string remedy) { said.push_back(summary + " | " + remedy); },
            [this](std::string summary) { said.push_back(summary); }};
  }
  /// What is launched from now on is late at once, or in good time again: the deadline counts from the clock's time.
  void late() { clock.steady -= 2h; }
  void in_time() { clock.steady += 2h; }
  template <class Done>
  void run_until(const Done& done) {
    loop.restart();
    const auto work = boost::asio::make_work_guard(loop);
    while (!done()) loop.run_one();
  }
  void flush() {
    bool done = false;
    recorder->flush([&] { done = true; });
    run_until([&] { return done; });
  }
  std::size_t owed_batches() { return Owed(folder.path()).read()->batches.size(); }
  std::uintmax_t owed_bytes() {
    std::error_code none;
    const auto size = std::filesystem::file_size(folder / "owed", none);
    return none ? 0 : size;
  }

  using Words = std::vector<std::string>;
  Folder folder;
  boost::asio::io_context loop;
  StillClock clock;
  std::shared_ptr<FakeVault> vault = std::make_shared<FakeVault>();
  Words released;
  Words said;
  std::unique_ptr<Recorder> recorder;
};

class RecorderOverVault : public Fixture {};

TEST_F(RecorderOverVault, releases_only_what_is_committed) {
  vault->hold();
  begin();
  recorder->submit(problem(1));
  vault->wait_for_commits(1);
  loop.poll();
  EXPECT_TRUE(released.empty());
  vault->let_go();
  flush();
  EXPECT_EQ(released, (Words{"incident1"}));
  EXPECT_FALSE(recorder->degraded());
  EXPECT_EQ(owed_bytes(), 0u);
}

TEST_F(RecorderOverVault, says_nothing_from_inside_submit) {
  begin();
  vault->breaks("no space left");
  recorder->submit(problem(1));
  flush();
  released.clear();
  recorder->submit(problem(2));
  EXPECT_TRUE(released.empty());
  run_until([&] { return !released.empty(); });
}

TEST_F(RecorderOverVault, what_gathers_during_a_commit_is_one_transaction) {
  vault->hold();
  begin();
  recorder->submit(problem(0));
  vault->wait_for_commits(1);
  for (int i = 1; i <= 50; ++i) recorder->submit(problem(i));
  vault->let_go();
  flush();
  EXPECT_EQ(vault->groups(), (std::vector<std::size_t>{1, 50}));
  ASSERT_EQ(released.size(), 51u);
  for (int i = 0; i <= 50; ++i) EXPECT_EQ(released[static_cast<std::size_t>(i)], "incident" + std::to_string(i));
}

TEST_F(RecorderOverVault, a_failing_store_costs_durability_and_no_alert) {
  begin({.patience = 1h, .retry = 1h, .farewell = 1h});
  vault->breaks("no space left on /var/lib/vitald (used 100 %)");
  recorder->submit(problem(1));
  run_until([&] { return said.size() == 1; });
  EXPECT_TRUE(recorder->degraded());
  EXPECT_EQ(said[0], "vitald cannot save its state: no space left on /var/lib/vitald (used 100 %) | do something");
  recorder->submit(problem(2));
  recorder->submit(delivered(1));
  run_until([&] { return released.size() == 2; });
  EXPECT_EQ(released, (Words{"incident1 unsaved", "incident2 unsaved"}));
  EXPECT_EQ(owed_batches(), 3u);

  flush();  // tries again at once, and fails again
  EXPECT_EQ(said.size(), 1u) << "told once";
  vault->heals();
  flush();
  EXPECT_FALSE(recorder->degraded());
  run_until([&] { return said.size() == 2; });
  EXPECT_EQ(said[1], "vitald saves its state again");
  EXPECT_EQ(vault->content().incidents.size(), 2u);
  EXPECT_EQ(vault->content().outbox.size(), 1u) << "the delivered one is settled";
  EXPECT_EQ(vault->groups().size(), 1u) << "all of it in one transaction";
  EXPECT_EQ(owed_bytes(), 0u);
  EXPECT_EQ(released.size(), 2u);
}

TEST_F(RecorderOverVault, retries_by_itself) {
  begin({.patience = 1h, .retry = 0ns, .farewell = 1h});
  vault->breaks("read-only");
  recorder->submit(problem(1));
  run_until([&] { return said.size() == 1; });
  vault->heals();
  run_until([&] { return said.size() == 2; });
  EXPECT_EQ(said[1], "vitald saves its state again");
}

TEST_F(RecorderOverVault, a_late_commit_releases_nothing_twice) {
  vault->hold();
  begin();
  late();
  recorder->submit(problem(1));
  vault->wait_for_commits(1);
  run_until([&] { return said.size() == 1; });
  EXPECT_NE(said[0].find("the disk has not answered"), std::string::npos) << said[0];
  EXPECT_EQ(released, (Words{"incident1 unsaved"}));
  recorder->submit(problem(2));
  run_until([&] { return released.size() == 2; });
  EXPECT_EQ(owed_batches(), 2u);
  in_time();
  vault->let_go();
  run_until([&] { return said.size() == 2 && owed_bytes() == 0; });
  EXPECT_EQ(released, (Words{"incident1 unsaved", "incident2 unsaved"}));
  EXPECT_EQ(vault->content().outbox.size(), 2u);
}

TEST_F(RecorderOverVault, keeps_the_order_over_the_edge_of_an_outage) {
  vault->hold();
  begin();
  late();
  for (int i = 1; i <= 5; ++i) recorder->submit(problem(i));
  run_until([&] { return released.size() == 5; });
  for (int i = 6; i <= 9; ++i) recorder->submit(problem(i));
  run_until([&] { return released.size() == 9; });
  for (int i = 1; i <= 9; ++i) {
    EXPECT_EQ(released[static_cast<std::size_t>(i - 1)], "incident" + std::to_string(i) + " unsaved");
  }
  vault->let_go();
}

TEST_F(RecorderOverVault, a_late_commit_that_fails_is_kept_and_written_later) {
  vault->hold();
  begin({.patience = 1h, .retry = 0ns, .farewell = 1h});
  late();
  recorder->submit(problem(1));
  run_until([&] { return released.size() == 1; });
  recorder->submit(delivered(1));
  in_time();
  vault->breaks("the disk reports errors");
  vault->let_go();
  run_until([&] { return vault->reopened() > 0; });  // so the late one has failed
  EXPECT_TRUE(recorder->degraded());
  vault->heals();
  run_until([&] { return said.size() == 2; });
  EXPECT_EQ(vault->content().incidents.size(), 1u);
  EXPECT_TRUE(vault->content().outbox.empty()) << "settled after it was added, so it must not come back";
}

TEST_F(RecorderOverVault, fills_a_rebuilt_store_with_what_is_still_open) {
  begin();
  recorder->submit(problem(1));
  recorder->submit(problem(2));
  flush();
  recorder->submit(delivered(1));
  flush();
  vault->breaks("vitald.db is damaged");
  recorder->submit(problem(3));
  flush();
  vault->loses_its_file();
  vault->heals();
  flush();
  run_until([&] { return owed_bytes() == 0; });
  run_until([&] { return said.size() == 2; });
  EXPECT_EQ(said[1], "vitald saves its state again; nothing could be read from the damaged file");
  EXPECT_EQ(vault->content().incidents.size(), 3u);
  ASSERT_EQ(vault->content().outbox.size(), 2u);
  EXPECT_EQ(vault->content().outbox[0].id.incident, "incident2");
}

TEST_F(RecorderOverVault, goes_on_from_memory_when_not_even_the_owed_file_can_be_written) {
  std::filesystem::create_directory(folder / "owed");
  begin({.patience = 1h, .retry = 0ns, .farewell = 1h});
  vault->breaks("read-only");
  recorder->submit(problem(1));
  run_until([&] { return said.size() == 1; });
  EXPECT_NE(said[0].find("nor can it note what goes out meanwhile (" + (folder / "owed").string()), std::string::npos)
      << said[0];
  EXPECT_EQ(released, (Words{"incident1 unsaved"}));
  vault->heals();
  run_until([&] { return said.size() == 2; });
  EXPECT_EQ(vault->content().outbox.size(), 1u);
}

TEST_F(RecorderOverVault, starts_degraded_and_catches_up) {
  RecorderStart start;
  start.owed = problem(1);
  start.trouble = Failure{"", "/var/lib/vitald is read-only"};
  vault->breaks("/var/lib/vitald is read-only");
  begin({.patience = 1h, .retry = 0ns, .farewell = 1h}, start);
  EXPECT_TRUE(recorder->degraded());
  run_until([&] { return said.size() == 1; });
  vault->heals();
  run_until([&] { return said.size() == 2; });
  EXPECT_EQ(vault->content().incidents.size(), 1u);
}

TEST_F(RecorderOverVault, tells_once_of_a_store_that_was_rebuilt_at_start) {
  RecorderStart start;
  start.note = "moved aside";
  begin({.patience = 1h, .retry = 1h, .farewell = 1h}, start);
  run_until([&] { return said.size() == 2; });
  EXPECT_EQ(said[0],
            "vitald found its state damaged: moved aside | see the health of the disk under the state directory");
  EXPECT_EQ(said[1], "vitald saves its state again; moved aside");
  EXPECT_FALSE(recorder->degraded());
}

TEST_F(RecorderOverVault, a_big_refresh_is_not_worth_the_owed_file) {
  begin();
  vault->breaks("full");
  recorder->submit(problem(1));
  flush();
  const auto before = owed_bytes();
  alerting::Effects refresh;
  for (int i = 0; i < 1000; ++i) refresh.checks.push_back(check("c" + std::to_string(i), "{}"));
  recorder->submit(refresh);
  EXPECT_EQ(owed_bytes(), before);
  vault->heals();
  flush();
  EXPECT_EQ(vault->content().checks.size(), 1001u) << "but it is worth the store";
}

TEST_F(RecorderOverVault, flush_waits_for_what_was_submitted_before_it_and_for_no_more) {
  begin();
  vault->hold();
  recorder->submit(problem(1));
  vault->wait_for_commits(1);
  bool safe = false;
  recorder->flush([&] { safe = true; });
  recorder->submit(problem(2));  // somebody always has something
  vault->let_one_go();
  run_until([&] { return safe; });
  vault->wait_for_commits(2);
  EXPECT_EQ(vault->content().outbox.size(), 1u) << "the second flies still";
  vault->let_go();
  flush();
  EXPECT_EQ(vault->content().outbox.size(), 2u);
}

TEST_F(RecorderOverVault, flush_does_not_wait_for_a_disk_that_never_answers) {
  vault->hold();
  begin({.patience = 1h, .retry = 1h, .farewell = 0ns});
  late();
  recorder->submit(problem(1));
  flush();
  EXPECT_EQ(owed_batches(), 1u);
  recorder.reset();  // nor does the end
  vault->let_go();
}

TEST_F(RecorderOverVault, writes_what_waits_when_it_ends) {
  begin();
  for (int i = 1; i <= 20; ++i) recorder->submit(problem(i));
  recorder.reset();
  EXPECT_EQ(vault->content().incidents.size(), 20u);
}

// With the real store.

class RecorderOverDisk : public Fixture {
 protected:
  Recorder::Paths paths() const { return {folder / "state", folder / "run"}; }
  alerting::Snapshot open() {
    auto opened = Recorder::open(paths(), loop.get_executor(), clock, callbacks());
    if (!opened) {
      ADD_FAILURE() << opened.failure().sentence();
      return {};
    }
    recorder = std::move(opened->recorder);
    return opened->snapshot;
  }
  /// As a process leaves it that was killed while its store did not work.
  void leave_owed(const std::vector<alerting::Effects>& batches) {
    Owed owed(folder / "run");
    for (const auto& batch : batches) ASSERT_TRUE(owed.append(batch, [] { return alerting::Effects{}; }));
  }
};

TEST_F(RecorderOverDisk, keeps_its_word_over_a_restart) {
  EXPECT_TRUE(open().incidents.empty());
  recorder->submit(problem(1));
  recorder->submit(problem(2));
  flush();
  recorder->submit(delivered(2));
  flush();
  EXPECT_EQ(released, (Words{"incident1", "incident2"}));
  recorder.reset();
  const auto snapshot = open();
  EXPECT_EQ(snapshot.incidents.size(), 2u);
  ASSERT_EQ(snapshot.outbox.size(), 1u);
  EXPECT_EQ(snapshot.outbox[0].id.incident, "incident1");
}

TEST_F(RecorderOverDisk, puts_what_is_owed_into_the_store_first) {
  open();
  recorder->submit(problem(1));
  flush();
  recorder.reset();
  leave_owed({problem(2), problem(3), delivered(3), delivered(1)});
  for (int i = 0; i < 2; ++i) {
    const auto snapshot = open();
    EXPECT_EQ(snapshot.incidents.size(), 3u);
    ASSERT_EQ(snapshot.outbox.size(), 1u);
    EXPECT_EQ(snapshot.outbox[0].id.incident, "incident2");
    EXPECT_EQ(std::filesystem::file_size(folder / "run/owed"), 0u);
    recorder.reset();
  }
}

TEST_F(RecorderOverDisk, refuses_to_start_beside_another) {
  open();
  const auto second = Recorder::open(paths(), loop.get_executor(), clock, callbacks());
  ASSERT_FALSE(second);
  EXPECT_NE(second.failure().sentence().find("in use by another vitald"), std::string::npos);
}

}  // namespace
}  // namespace vitald::daemon
