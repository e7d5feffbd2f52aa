#include "daemon/sqlite_store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/sqlite.hpp"
#include "daemon/sqlite_schema.hpp"
#include "store_support.hpp"

namespace vitald::daemon {
namespace {

using namespace testing;
using Group = std::vector<alerting::Effects>;

std::unique_ptr<SqliteStore> open_store(const std::filesystem::path& directory) {
  auto store = SqliteStore::open(directory, a_night);
  if (!store) {
    ADD_FAILURE() << store.failure().sentence();
    return nullptr;
  }
  EXPECT_FALSE((*store)->trouble()) << (*store)->trouble()->sentence();
  return std::move(*store);
}

std::string refusal(const std::filesystem::path& directory) {
  auto store = SqliteStore::open(directory, a_night);
  return store ? "not refused" : store.failure().sentence();
}

mode_t mode_of(const std::filesystem::path& file) {
  struct stat found {};
  EXPECT_EQ(::stat(file.c_str(), &found), 0) << file;
  return found.st_mode & 0777;
}

TEST(SqliteStore, keeps_checks_open_incidents_and_the_outbox) {
  Folder folder;
  {
    const auto store = open_store(folder / "state");
    EXPECT_EQ(store->note(), "");
    ASSERT_TRUE(store->commit(Group{problem(1), problem(2), delivered(1)}));
    alerting::Effects later;
    later.checks = {check("check1", "{\"bad\":2}"), {"check2", "", true}};
    later.incidents = {closed(incident("incident1", "check:1"), a_night)};
    later.outbox = {notification("incident1", 2), notification("incident1", 2, "lead")};
    ASSERT_TRUE(store->commit(Group{later}));
  }
  const auto snapshot = open_store(folder / "state")->load();
  ASSERT_TRUE(snapshot);
  ASSERT_EQ(snapshot->checks.size(), 1u);
  EXPECT_EQ(snapshot->checks[0].state, "{\"bad\":2}");
  ASSERT_EQ(snapshot->incidents.size(), 2u) << "the closed one too: its recovery is still owed";
  EXPECT_EQ(to_json(snapshot->incidents[0]), to_json(closed(incident("incident1", "check:1"), a_night)));
  EXPECT_EQ(to_json(snapshot->incidents[1]), to_json(incident("incident2", "check:2")));
  ASSERT_EQ(snapshot->outbox.size(), 3u);
  EXPECT_EQ(snapshot->outbox[0].id.text(), notification("incident2", 1).id.text()) << "oldest first";
  EXPECT_EQ(to_json(snapshot->outbox[2]), to_json(notification("incident1", 2, "lead")));
}

TEST(SqliteStore, takes_the_same_group_twice) {
  Folder folder;
  const auto store = open_store(folder / "state");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store->commit(Group{problem(1), problem(2), delivered(2)}));
  const auto snapshot = store->load();
  EXPECT_EQ(snapshot->incidents.size(), 2u);
  EXPECT_EQ(snapshot->outbox.size(), 1u);
}

TEST(SqliteStore, one_subject_has_one_open_incident) {
  Folder folder;
  const auto store = open_store(folder / "state");
  alerting::Effects older, newer;
  older.incidents = {incident("older", "check:api")};
  newer.incidents = {incident("newer", "check:api")};
  ASSERT_TRUE(store->commit(Group{older}));
  ASSERT_TRUE(store->commit(Group{newer}));
  const auto snapshot = store->load();
  ASSERT_EQ(snapshot->incidents.size(), 1u);
  EXPECT_EQ(snapshot->incidents[0].id, "newer");
}

TEST(SqliteStore, keeps_text_as_it_is) {
  Folder folder;
  const auto store = open_store(folder / "state");
  const std::string odd = std::string("a\0b", 3) + "'; DROP TABLE checks; -- \xF0\x9F\x94\xA5";
  alerting::Effects effects;
  effects.checks = {check(odd, odd)};
  ASSERT_TRUE(store->commit(Group{effects}));
  EXPECT_EQ(store->load()->checks.at(0).state, odd);
}

TEST(SqliteStore, history_is_bounded_by_rows_and_by_days) {
  Folder folder;
  const auto store = open_store(folder / "state");
  const auto day = std::chrono::hours(24);
  alerting::Effects many;
  for (int i = 0; i < 10'300; ++i) {
    many.incidents.push_back(closed(incident("i" + std::to_string(i), "check:api"), a_night + std::chrono::seconds(i)));
  }
  ASSERT_TRUE(store->commit(Group{many}));
  sqlite::Connection reader;
  ASSERT_TRUE(reader.open(folder / "state/vitald.db"));
  EXPECT_EQ(reader.number("SELECT count(*) FROM incidents"), 10'000);
  EXPECT_EQ(reader.text("SELECT id FROM incidents ORDER BY closed LIMIT 1"), "i300");

  // Much later each closing takes a small batch of the old ones along, until they are gone.
  for (int i = 0; i < 50; ++i) {
    alerting::Effects late;
    late.incidents = {
        closed(incident("late" + std::to_string(i), "check:api"), a_night + day * 500 + std::chrono::seconds(i))};
    ASSERT_TRUE(store->commit(Group{late}));
    EXPECT_EQ(reader.number("SELECT count(*) FROM incidents"), 10'000 - (i + 1) * 200 + (i + 1));
  }
}

TEST(SqliteStore, is_durable_and_private) {
  Folder folder;
  const mode_t before = ::umask(0);
  const auto store = open_store(folder / "state");
  ASSERT_TRUE(store->commit(Group{problem(1)}));
  ::umask(before);
  EXPECT_EQ(mode_of(folder / "state"), 0700u);
  for (const char* name : {"vitald.db", "vitald.db-wal", "vitald.db-shm", "lock"})
    EXPECT_EQ(mode_of(folder / "state" / name), 0600u);
  EXPECT_EQ(bytes_of(folder / "state/lock"), std::to_string(::getpid()) + "\n");
}

TEST(SqliteStore, tightens_files_that_others_could_read) {
  Folder folder;
  open_store(folder / "state");
  ASSERT_EQ(::chmod((folder / "state/vitald.db").c_str(), 0644), 0);
  open_store(folder / "state");
  EXPECT_EQ(mode_of(folder / "state/vitald.db"), 0600u);
}

TEST(SqliteStore, children_inherit_no_descriptor) {
  Folder folder;
  const auto store = open_store(folder / "state");
  ASSERT_TRUE(store->commit(Group{problem(1)}));
  int ours = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (gone || !target.string().starts_with(folder.path().string())) continue;
    ++ours;
    EXPECT_NE(::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC, 0) << target;
  }
  EXPECT_GE(ours, 4) << "the directory, the lock, the file and its log";
}

TEST(SqliteStore, refuses_what_is_not_its_own_and_says_what_to_do) {
  Folder folder;
  const auto dir = folder / "state";
  EXPECT_NE(refusal(folder / "no/such").find("install -d -m 0700"), std::string::npos);

  std::filesystem::create_directory(dir);
  ASSERT_EQ(::chmod(dir.c_str(), 0777), 0);
  EXPECT_NE(refusal(dir).find("run: chmod 0700 " + dir.string()), std::string::npos) << refusal(dir);
  ASSERT_EQ(::chmod(dir.c_str(), 0700), 0);

  write_bytes(folder / "victim", "precious");
  std::filesystem::create_symlink(folder / "victim", dir / "vitald.db");
  EXPECT_NE(refusal(dir).find("is a symbolic link"), std::string::npos) << refusal(dir);
  std::filesystem::remove(dir / "vitald.db");
  std::filesystem::create_hard_link(folder / "victim", dir / "vitald.db");
  EXPECT_NE(refusal(dir).find("hard link"), std::string::npos) << refusal(dir);
  std::filesystem::remove(dir / "vitald.db");
  std::filesystem::create_symlink(folder / "victim", dir / "vitald.db-wal");
  EXPECT_NE(refusal(dir).find("is a symbolic link"), std::string::npos) << refusal(dir);
  std::filesystem::remove(dir / "vitald.db-wal");
  std::filesystem::remove(dir / "lock");
  std::filesystem::create_symlink(folder / "victim", dir / "lock");
  EXPECT_NE(refusal(dir).find("is a symbolic link"), std::string::npos) << refusal(dir);
  std::filesystem::remove(dir / "lock");
  ASSERT_EQ(::mkfifo((dir / "vitald.db").c_str(), 0600), 0);
  EXPECT_NE(refusal(dir).find("is not a plain file"), std::string::npos) << refusal(dir);
  EXPECT_EQ(bytes_of(folder / "victim"), "precious");

  write_bytes(folder / "file", "");
  EXPECT_NE(refusal(folder / "file").find("cannot be opened"), std::string::npos);
}

TEST(SqliteStore, refuses_a_directory_of_somebody_else) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a directory of another user";
  Folder folder;
  const auto dir = folder / "state";
  std::filesystem::create_directory(dir);
  ASSERT_EQ(::chown(dir.c_str(), 65534, 65534), 0);
  EXPECT_NE(refusal(dir).find("belongs to nobody, but vitald runs as root; run: chown -R root " + dir.string()),
            std::string::npos)
      << refusal(dir);
}

TEST(SqliteStore, refuses_a_second_instance_by_name) {
  Folder folder;
  auto first = open_store(folder / "state");
  const std::string second = refusal(folder / "state");
  EXPECT_NE(second.find("in use by another vitald (process " + std::to_string(::getpid()) + ")"), std::string::npos)
      << second;
  std::filesystem::remove(folder / "state/lock");
  EXPECT_NE(refusal(folder / "state").find("in use by another vitald"), std::string::npos)
      << "the lock is not the file";
  first.reset();
  open_store(folder / "state");
}

TEST(SqliteStore, of_a_hundred_parallel_starts_one_survives) {
  Folder folder;
  int go[2], told[2], stay[2];
  ASSERT_EQ(::pipe(go), 0);
  ASSERT_EQ(::pipe(told), 0);
  ASSERT_EQ(::pipe(stay), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 100; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(go[1]);
      ::close(stay[1]);
      char ignored;
      (void)!::read(go[0], &ignored, 1);  // end of file when all are there
      auto store = SqliteStore::open(folder / "state", a_night);
      const char word = !store ? 'r' : (*store)->trouble() ? 't' : 's';
      (void)!::write(told[1], &word, 1);
      (void)!::read(stay[0], &ignored, 1);  // nobody leaves before everybody has tried
      ::_exit(0);
    }
    children.push_back(child);
  }
  ::close(go[0]);
  ::close(go[1]);
  std::string words(100, ' ');
  for (char& word : words) ASSERT_EQ(::read(told[0], &word, 1), 1);
  ::close(stay[1]);
  for (const pid_t child : children) ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  for (const int fd : {told[0], told[1], stay[0]}) ::close(fd);
  EXPECT_EQ(std::count(words.begin(), words.end(), 's'), 1);
  EXPECT_EQ(std::count(words.begin(), words.end(), 'r'), 99) << words;
}

TEST(SqliteStore, refuses_a_newer_schema_and_leaves_the_file_as_it_is) {
  Folder folder;
  {
    const auto store = open_store(folder / "state");
    ASSERT_TRUE(store->commit(Group{problem(1)}));
  }
  // The newer version is still in the log only, as after a kill.
  sqlite::Connection newer;
  ASSERT_TRUE(newer.open(folder / "state/vitald.db"));
  ASSERT_TRUE(newer.run("PRAGMA user_version = 7"));
  newer.close();
  ASSERT_GT(std::filesystem::file_size(folder / "state/vitald.db-wal"), 0u);
  const std::string file = bytes_of(folder / "state/vitald.db");
  const std::string log = bytes_of(folder / "state/vitald.db-wal");
  EXPECT_NE(refusal(folder / "state").find("written by a newer vitald"), std::string::npos)
      << refusal(folder / "state");
  EXPECT_EQ(bytes_of(folder / "state/vitald.db"), file);
  EXPECT_EQ(bytes_of(folder / "state/vitald.db-wal"), log);
}

// The machinery, with versions that are made up.
constexpr sqlite::Migration first{1, "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('kept')"};
constexpr sqlite::Migration second{2, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'"};
constexpr sqlite::Migration wrong{3, "UPDATE t SET b = 'half'; THIS IS NO SQL"};

TEST(Schema, migrates_after_a_backup) {
  Folder folder;
  sqlite::Connection file;
  ASSERT_TRUE(file.open(folder / "t.db", true));
  const std::vector both{first, second};
  ASSERT_TRUE(sqlite::migrate(file, std::span(both).first(1), folder / "backup"));
  EXPECT_FALSE(std::filesystem::exists(folder / "backup")) << "there was nothing to copy";
  ASSERT_TRUE(sqlite::migrate(file, both, folder / "backup"));
  EXPECT_EQ(file.text("SELECT a || b FROM t"), "keptnew");
  EXPECT_EQ(file.number("PRAGMA user_version"), 2);
  EXPECT_EQ(mode_of(folder / "backup"), 0600u);
  sqlite::Connection backup;
  ASSERT_TRUE(backup.open(folder / "backup"));
  EXPECT_EQ(backup.number("PRAGMA user_version"), 1);
  EXPECT_EQ(backup.text("SELECT a FROM t"), "kept");
  ASSERT_TRUE(sqlite::migrate(file, both, folder / "second-backup"));
  EXPECT_FALSE(std::filesystem::exists(folder / "second-backup")) << "nothing was to be done";
}

TEST(Schema, a_failing_migration_changes_nothing) {
  Folder folder;
  sqlite::Connection file;
  ASSERT_TRUE(file.open(folder / "t.db", true));
  const std::vector all{first, second, wrong};
  ASSERT_TRUE(sqlite::migrate(file, std::span(all).first(1), folder / "backup"));
  EXPECT_FALSE(sqlite::migrate(file, all, folder / "backup"));
  EXPECT_NE(file.trouble().text.find("syntax error"), std::string::npos) << file.trouble().text;
  EXPECT_EQ(file.number("PRAGMA user_version"), 1);
  EXPECT_EQ(file.text("SELECT group_concat(name) FROM pragma_table_info('t')"), "a");
}

TEST(Schema, its_versions_have_no_gaps) {
  int version = 0;
  for (const auto& step : sqlite::migrations()) EXPECT_EQ(step.to, ++version);
}

}  // namespace
}  // namespace vitald::daemon
