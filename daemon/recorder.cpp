#include "daemon/recorder.hpp"

#include <span>
#include <system_error>
#include <utility>

#include "daemon/ledger.hpp"
#include "daemon/owed.hpp"
#include "daemon/recording.hpp"
#include "daemon/sqlite_salvage.hpp"
#include "daemon/sqlite_store.hpp"

namespace vitald::daemon {
namespace {

namespace fs = std::filesystem;

/// What the store knows, where it cannot be opened because the disk is full or read-only: SQLite needs to write beside
/// a file even to read it, so a copy in the runtime directory is read.
alerting::Effects read_copy(const Recorder::Paths& paths) {
  constexpr std::uintmax_t most = 256u << 20;
  const fs::path copy = paths.runtime / "rescue.db";
  std::error_code failed;
  alerting::Effects rows;
  for (const char* suffix : {"", "-wal"}) {
    const fs::path from = paths.state.string() + "/vitald.db" + suffix;
    const auto size = fs::file_size(from, failed);
    if (!failed && size <= most)
      fs::copy_file(from, copy.string() + suffix, fs::copy_options::overwrite_existing, failed);
  }
  rows = sqlite::salvage(copy).rows;
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(copy.string() + suffix, failed);
  return rows;
}

/// Puts what is owed into the store, and reads what the store has.
Result<alerting::Snapshot> reconcile(SqliteStore& store, const alerting::Effects& owed) {
  if (store.trouble()) return *store.trouble();
  if (!owed.nothing_to_store()) {
    if (auto committed = store.commit(std::span(&owed, 1)); !committed) return committed.failure();
  }
  return store.load();
}

}  // namespace

Result<Recorder::Opened> Recorder::open(const Paths& paths, boost::asio::any_io_executor loop, const Clock& clock,
                                        Callbacks callbacks) {
  auto opened = SqliteStore::open(paths.state, clock.now().wall);
  if (!opened) return opened.failure();
  std::shared_ptr<SqliteStore> store = std::move(*opened);

  Owed file(paths.runtime);
  Ledger owed;
  std::string note = store->note();
  auto replay = file.read();
  if (replay) {
    for (const auto& batch : replay->batches) owed.apply(batch);
    if (replay->damaged > 0) {
      note += (note.empty() ? "" : "; ") + std::to_string(replay->damaged) + " lines of " + file.file().string() +
              " were damaged and are lost";
    }
  }

  RecorderStart start;
  start.owed = owed.effects();
  auto snapshot = reconcile(*store, start.owed);
  if (snapshot) {
    start.snapshot = std::move(*snapshot);
    start.note = std::move(note);
    (void)!file.clear();  // replayed twice does no harm
  } else {
    Ledger known;
    known.apply(read_copy(paths));
    known.apply(start.owed);
    start.snapshot = known.snapshot();
    start.trouble = snapshot.failure();
    start.remedy = store->remedy();
  }
  Opened result;
  result.snapshot = start.snapshot;
  result.recorder =
      make_recorder(std::move(store), std::move(file), std::move(loop), clock, std::move(callbacks), start);
  return result;
}

}  // namespace vitald::daemon
