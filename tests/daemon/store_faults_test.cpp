// The store against kill -9, full and read-only disks, and files that were damaged in any way.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <random>

#include "daemon/recorder.hpp"
#include "daemon/sqlite.hpp"
#include "daemon/sqlite_store.hpp"
#include "store_support.hpp"

namespace vitald::daemon {
namespace {

using namespace testing;
using Group = std::vector<alerting::Effects>;

alerting::Effects big_problem(int number) {
  auto effects = problem(number);
  effects.checks[0].state = "\"" + std::string(2000, 'x') + "\"";
  return effects;
}

/// Commits one problem after the other and acknowledges each through the pipe, until it is killed.
[[noreturn]] void commit_until_killed(const std::filesystem::path& directory, int first, int acknowledge) {
  auto store = SqliteStore::open(directory, a_night);
  if (!store || (*store)->trouble()) ::_exit(1);
  for (int number = first;; ++number) {
    const bool safe = static_cast<bool>((*store)->commit(Group{big_problem(number)}));
    if (!safe || ::write(acknowledge, &number, sizeof number) != sizeof number) ::_exit(1);
  }
}

TEST(StoreFaults, a_kill_at_any_time_loses_nothing_that_was_acknowledged) {
  Folder folder;
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int acknowledged = 0;
  for (int round = 0; round < 40; ++round) {
    int told[2];
    ASSERT_EQ(::pipe2(told, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) commit_until_killed(folder / "state", acknowledged + 1, told[1]);
    ::close(told[1]);
    // So many acknowledgements are awaited, then some more work is let pass: a kill anywhere in a commit.
    const int enough = acknowledged + static_cast<int>(random() % 6);
    int number = acknowledged;
    while (number < enough && ::read(told[0], &number, sizeof number) == sizeof number) {
    }
    for (auto spin = random() % 2'000'000; spin > 0; --spin) __asm__ volatile("");
    ::kill(child, SIGKILL);
    while (::read(told[0], &number, sizeof number) == sizeof number) {
    }
    ::close(told[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "ended by itself in round " << round;
    acknowledged = number;

    auto store = SqliteStore::open(folder / "state", a_night);
    ASSERT_TRUE(store) << store.failure().sentence();
    ASSERT_EQ((*store)->note(), "");
    const auto snapshot = (*store)->load();
    ASSERT_TRUE(snapshot);
    // One more than was acknowledged may be there, and state, incident and message are there together or not at all.
    const auto stored = static_cast<int>(snapshot->incidents.size());
    ASSERT_GE(stored, acknowledged);
    ASSERT_LE(stored, acknowledged + 1);
    ASSERT_EQ(snapshot->outbox.size(), snapshot->incidents.size());
    ASSERT_EQ(snapshot->checks.size(), snapshot->incidents.size());
    acknowledged = stored;
  }
  EXPECT_GT(acknowledged, 40);
}

/// A small file system of its own; only root has one.
class SmallDisk {
 public:
  SmallDisk() {
    std::filesystem::create_directory(folder_ / "disk");
    mounted_ = ::mount("none", path().c_str(), "tmpfs", 0, "size=1m,mode=0700") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::filesystem::path path() const { return folder_ / "disk"; }
  std::filesystem::path runtime() const { return folder_ / "run"; }
  void read_only(bool on) {
    ASSERT_EQ(::mount("none", path().c_str(), nullptr, on ? MS_REMOUNT | MS_RDONLY : MS_REMOUNT, "size=1m"), 0);
  }
  void fill() {
    std::ofstream junk(path() / "junk", std::ios::binary);
    const std::string block(4096, 'x');
    while (junk.write(block.data(), 4096).flush()) {
    }
  }
  void free() { std::filesystem::remove(path() / "junk"); }

 private:
  Folder folder_;
  bool mounted_ = false;
};

TEST(StoreFaults, says_that_the_disk_is_full_and_recovers) {
  SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "needs root to mount a small tmpfs";
  auto opened = SqliteStore::open(disk.path() / "state", a_night);
  ASSERT_TRUE(opened) << opened.failure().sentence();
  auto& store = **opened;
  ASSERT_TRUE(store.commit(Group{problem(0)}));
  disk.fill();
  int stored = 0;
  Result<void> committed;
  while ((committed = store.commit(Group{big_problem(stored + 1)}))) ++stored;
  EXPECT_EQ(committed.failure().sentence(), "no space left on " + (disk.path() / "state").string() + " (used 100 %)");
  EXPECT_NE(store.remedy().find("free space on"), std::string::npos);
  EXPECT_FALSE(store.reopen(a_night));
  EXPECT_FALSE(store.commit(Group{problem(900)})) << "a handle that failed takes nothing";
  disk.free();
  const auto reopened = store.reopen(a_night);
  ASSERT_TRUE(reopened) << reopened.failure().sentence();
  EXPECT_EQ(*reopened, "");
  ASSERT_TRUE(store.commit(Group{problem(901)}));
  EXPECT_GE(store.load()->incidents.size(), static_cast<std::size_t>(stored) + 2);
}

TEST(StoreFaults, says_that_the_disk_is_read_only_and_recovers) {
  SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "needs root to mount a small tmpfs";
  auto opened = SqliteStore::open(disk.path(), a_night);
  ASSERT_TRUE(opened) << opened.failure().sentence();
  auto& store = **opened;
  ASSERT_TRUE(store.commit(Group{problem(1)}));
  // The kernel lets no file system go read-only under an open file; an errors=remount-ro does. Closed by a failure,
  // then.
  opened->reset();
  disk.read_only(true);
  auto again = SqliteStore::open(disk.path(), a_night);
  ASSERT_TRUE(again) << again.failure().sentence();
  ASSERT_TRUE((*again)->trouble());
  EXPECT_EQ((*again)->trouble()->sentence(), disk.path().string() + " is read-only");
  disk.read_only(false);
  ASSERT_TRUE((*again)->reopen(a_night));
  EXPECT_EQ((*again)->load()->incidents.size(), 1u);
}

/// A recorder over the small disk, and what it says.
struct Watched {
  boost::asio::io_context loop;
  StillClock clock;
  std::vector<std::string> said;
  std::vector<bool> unsaved;

  Result<Recorder::Opened> open(const SmallDisk& disk) {
    return Recorder::open({disk.path() / "state", disk.runtime()}, loop.get_executor(), clock,
                          {[this](std::vector<alerting::Notification> list) {
                             for (const auto& message : list) unsaved.push_back(message.unsaved);
                           },
                           [this](std::string summary, std::string) { said.push_back(std::move(summary)); },
                           [this](std::string summary) { said.push_back(std::move(summary)); }});
  }
  template <class Done>
  void run_until(const Done& done) {
    loop.restart();
    const auto work = boost::asio::make_work_guard(loop);
    while (!done()) loop.run_one();
  }
};

TEST(StoreFaults, a_restart_on_a_full_disk_forgets_nothing) {
  SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "needs root to mount a small tmpfs";
  {
    Watched before;
    auto opened = before.open(disk);
    ASSERT_TRUE(opened) << opened.failure().sentence();
    opened->recorder->submit(problem(1));
    before.run_until([&] { return before.unsaved.size() == 1; });
    EXPECT_FALSE(before.unsaved[0]);
    disk.fill();
    auto many = problem(2);
    for (int i = 0; i < 100; ++i) many.checks.push_back(big_problem(i).checks[0]);
    opened->recorder->submit(many);
    before.run_until([&] { return before.unsaved.size() == 2 && before.said.size() == 1; });
    EXPECT_TRUE(before.unsaved[1]);
    EXPECT_NE(before.said[0].find("vitald cannot save its state: no space left on"), std::string::npos)
        << before.said[0];
  }
  {
    Watched during;
    auto opened = during.open(disk);
    ASSERT_TRUE(opened) << opened.failure().sentence();
    EXPECT_TRUE(opened->recorder->degraded());
    EXPECT_EQ(opened->snapshot.incidents.size(), 2u) << "one out of the store, one that was owed";
    EXPECT_EQ(opened->snapshot.outbox.size(), 2u);
  }
  disk.free();
  Watched after;
  auto opened = after.open(disk);
  ASSERT_TRUE(opened) << opened.failure().sentence();
  EXPECT_FALSE(opened->recorder->degraded());
  EXPECT_EQ(opened->snapshot.incidents.size(), 2u);
  EXPECT_EQ(opened->snapshot.outbox.size(), 2u);
}

/// One way to damage the files of a store.
std::string damage(const std::filesystem::path& directory, std::mt19937& random) {
  const std::string name = random() % 3 == 0 ? "vitald.db-wal" : "vitald.db";
  const auto file = directory / name;
  std::string bytes = bytes_of(file);
  switch (random() % 6) {
    case 0:
      std::filesystem::remove(file);
      return name + " deleted";
    case 1:
      write_bytes(file, "");
      return name + " emptied";
    case 2:
      write_bytes(file, bytes.substr(0, random() % (bytes.size() + 1)));
      return name + " truncated";
    case 3:
      write_bytes(file, std::string(random() % 20'000, static_cast<char>(random())));
      return name + " overwritten";
    case 4: {  // a page or so
      const std::size_t at = random() % (bytes.size() + 1);
      for (std::size_t i = at; i < std::min(bytes.size(), at + 4096); ++i) bytes[i] = static_cast<char>(random());
      write_bytes(file, bytes);
      return name + " scribbled over at " + std::to_string(at);
    }
    default: {
      const auto flips = 1 + random() % 30;
      for (unsigned long i = 0; i < flips && !bytes.empty(); ++i)
        bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      write_bytes(file, bytes);
      return name + " with " + std::to_string(flips) + " flipped bits";
    }
  }
}

TEST(StoreFaults, any_damage_is_survived_within_one_reopening) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  Folder folder;
  {
    // As a kill leaves it: half of the content in the file, half of it in the log.
    auto store = SqliteStore::open(folder / "whole", a_night);
    ASSERT_TRUE(store);
    for (int i = 0; i < 60; ++i) {
      if (i == 30) {
        ASSERT_TRUE((*store)->reopen(a_night));
      }
      ASSERT_TRUE((*store)->commit(Group{big_problem(i)}));
    }
    std::filesystem::copy(folder / "whole", folder / "killed");
    ASSERT_GT(std::filesystem::file_size(folder / "killed/vitald.db-wal"), 10'000u);
    ASSERT_EQ(::chmod((folder / "killed").c_str(), 0700), 0);
  }
  int rebuilt = 0;
  std::size_t salvaged = 0;
  for (int round = 0; round < 300; ++round) {
    const auto directory = folder / "damaged";
    std::filesystem::remove_all(directory);
    std::filesystem::copy(folder / "killed", directory);
    ASSERT_EQ(::chmod(directory.c_str(), 0700), 0);
    const std::string what = damage(directory, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round) + ": " + what);
    auto opened = SqliteStore::open(directory, a_night);
    if (!opened) {
      ASSERT_NE(opened.failure().sentence().find("written by a newer vitald"), std::string::npos)
          << opened.failure().sentence();
      continue;
    }
    auto& store = **opened;
    auto snapshot = store.load();
    if (!snapshot || !store.commit(Group{big_problem(1000)})) {
      ASSERT_TRUE(store.reopen(a_night)) << store.trouble()->sentence();
      snapshot = store.load();
    }
    ASSERT_TRUE(snapshot) << snapshot.failure().sentence();
    ASSERT_TRUE(store.commit(Group{big_problem(1001)}));
    if (!std::filesystem::exists(directory / "vitald.db.corrupt-20261121T232245Z")) continue;
    ++rebuilt;
    salvaged += snapshot->incidents.size();
  }
  EXPECT_GT(rebuilt, 30) << "seed " << seed;
  EXPECT_GT(salvaged, 100u) << "seed " << seed;
  std::cout << "seed " << seed << ": " << rebuilt << " of 300 files were rebuilt, " << salvaged
            << " incidents read from them\n";
}

TEST(StoreFaults, says_what_became_of_a_damaged_file) {
  Folder folder;
  for (const char* bytes :
       {"", "this is no database, but it is long enough to be taken for one if nobody looks closely"}) {
    std::filesystem::remove_all(folder / "state");
    {
      auto store = SqliteStore::open(folder / "state", a_night);
      ASSERT_TRUE((*store)->commit(Group{problem(1)}));
    }
    write_bytes(folder / "state/vitald.db", bytes);
    auto store = SqliteStore::open(folder / "state", a_night);
    ASSERT_TRUE(store);
    EXPECT_EQ((*store)->note(),
              "the damaged " + (folder / "state/vitald.db").string() +
                  " was moved aside to vitald.db.corrupt-20261121T232245Z; 0 open incidents, 0 unsent "
                  "notifications and 0 checks were read from it, the rest is lost");
    EXPECT_EQ(bytes_of(folder / "state/vitald.db.corrupt-20261121T232245Z"), bytes);
  }
}

TEST(StoreFaults, reads_what_is_left_on_both_sides_of_a_damaged_page) {
  Folder folder;
  {
    auto store = SqliteStore::open(folder / "state", a_night);
    for (int i = 0; i < 200; ++i) ASSERT_TRUE((*store)->commit(Group{problem(i)}));
  }
  sqlite::Connection reader;
  ASSERT_TRUE(reader.open(folder / "state/vitald.db"));
  const auto page = reader.number(
      "SELECT pageno FROM dbstat WHERE name = 'incidents' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 5");
  reader.close();
  if (!page) GTEST_SKIP() << "this SQLite has no dbstat";
  std::string bytes = bytes_of(folder / "state/vitald.db");
  for (std::size_t i = 0; i < 4096; ++i) bytes[(static_cast<std::size_t>(*page) - 1) * 4096 + i] = '\xAA';
  write_bytes(folder / "state/vitald.db", bytes);
  auto store = SqliteStore::open(folder / "state", a_night);
  ASSERT_TRUE(store);
  EXPECT_NE((*store)->note().find("were read from it, the rest is lost"), std::string::npos) << (*store)->note();
  const auto snapshot = (*store)->load();
  EXPECT_GT(snapshot->incidents.size(), 180u);
  EXPECT_LT(snapshot->incidents.size(), 200u);
  EXPECT_EQ(snapshot->outbox.size(), 200u);
  EXPECT_EQ(snapshot->checks.size(), 200u);
}

TEST(StoreFaults, a_file_that_checks_well_but_lacks_a_table_is_rebuilt) {
  Folder folder;
  {
    auto store = SqliteStore::open(folder / "state", a_night);
    ASSERT_TRUE((*store)->commit(Group{problem(1)}));
  }
  sqlite::Connection other;
  ASSERT_TRUE(other.open(folder / "state/vitald.db"));
  ASSERT_TRUE(other.run("DROP TABLE outbox"));
  other.close();
  auto store = SqliteStore::open(folder / "state", a_night);
  ASSERT_TRUE(store);
  EXPECT_FALSE((*store)->trouble());
  EXPECT_NE(
      (*store)->note().find("1 open incident, 0 unsent notifications and 1 check were read from it, the rest is lost"),
      std::string::npos)
      << (*store)->note();
  ASSERT_TRUE((*store)->commit(Group{problem(2)}));
  EXPECT_EQ((*store)->load()->incidents.size(), 2u);
}

TEST(StoreFaults, keeps_three_damaged_files_at_most) {
  Folder folder;
  for (int i = 0; i < 6; ++i) {
    { ASSERT_TRUE(SqliteStore::open(folder / "state", a_night + std::chrono::seconds(i))); }
    write_bytes(folder / "state/vitald.db", "junk");
  }
  int kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "state")) {
    kept += entry.path().filename().string().starts_with("vitald.db.corrupt-") ? 1 : 0;
  }
  EXPECT_EQ(kept, 3);
}

TEST(StoreFaults, a_lock_that_somebody_holds_is_named) {
  Folder folder;
  auto store = SqliteStore::open(folder / "state", a_night);
  sqlite::Connection other;
  ASSERT_TRUE(other.open(folder / "state/vitald.db"));
  ASSERT_TRUE(other.run("BEGIN IMMEDIATE"));
  const auto committed = (*store)->commit(Group{problem(1)});
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.failure().sentence(), "another program holds a lock on " + (folder / "state/vitald.db").string());
  ASSERT_TRUE(other.run("ROLLBACK"));
  ASSERT_TRUE((*store)->reopen(a_night));
  ASSERT_TRUE((*store)->commit(Group{problem(1)}));
}

}  // namespace
}  // namespace vitald::daemon
