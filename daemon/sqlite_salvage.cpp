#include "daemon/sqlite_salvage.hpp"

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "daemon/sqlite.hpp"

namespace vitald::daemon::sqlite {
namespace {

constexpr std::size_t rows_most = 300'000;
constexpr std::size_t history_most = 10'000;

/// Takes one row; false when it makes no sense.
using Take = std::function<bool(const Statement&)>;

/// Reads a table forwards until it ends or breaks, and, where it broke, backwards down to the rows that are known:
/// a damaged page in the middle costs only itself. Column 0 is the rowid. True when nothing was lost.
bool read_table(Connection& connection, const std::string& query, const Take& take, std::size_t most) {
  std::set<std::int64_t> seen;
  bool complete = true;
  for (const char* order : {" ORDER BY rowid ASC", " ORDER BY rowid DESC"}) {
    Statement rows(connection, query + order);
    if (!rows.valid()) return false;
    bool met = false;
    while (!met && seen.size() < most && rows.step()) {
      met = !seen.insert(rows.number(0)).second;
      if (!met && !take(rows)) complete = false;
    }
    if (met || rows.ended_well() || seen.size() >= most) return complete;
    complete = false;
  }
  return complete;
}

std::string counted(std::size_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace

std::string Salvaged::words() const {
  return counted(open_incidents, "open incident") + ", " + counted(rows.outbox.size(), "unsent notification") +
         " and " + counted(rows.checks.size(), "check") + " were read from it" + (complete ? "" : ", the rest is lost");
}

Salvaged salvage(const std::filesystem::path& file) {
  Salvaged found;
  Connection connection;
  if (!connection.open(file)) return found;
  const auto incident = [&](const Statement& row) {
    auto record = alerting::incident_from_json(row.text(1));
    if (!record) return false;
    found.rows.incidents.push_back(std::move(*record));
    return true;
  };
  const auto notification = [&](const Statement& row) {
    auto owed = alerting::notification_from_json(row.text(1));
    if (!owed) return false;
    found.rows.outbox.push_back(std::move(*owed));
    return true;
  };
  const auto check = [&](const Statement& row) {
    std::string name = row.text(1);
    std::string state = row.text(2);
    if (name.empty() || !nlohmann::json::accept(state)) return false;
    found.rows.checks.push_back({std::move(name), std::move(state)});
    return true;
  };
  const auto note = [&](const Statement& row) {
    std::string key = row.text(1);
    std::string state = row.text(2);
    if (key.empty() || !nlohmann::json::accept(state)) return false;
    found.rows.notes.push_back({std::move(key), std::move(state)});
    return true;
  };
  // NOT INDEXED: the tables themselves are read, since an index may be what is damaged.
  found.complete =
      read_table(connection, "SELECT rowid, record FROM incidents NOT INDEXED WHERE open = 1", incident, rows_most);
  found.open_incidents = found.rows.incidents.size();
  found.complete &=
      read_table(connection, "SELECT rowid, notification FROM outbox NOT INDEXED", notification, rows_most);
  found.complete &= read_table(connection, "SELECT rowid, name, state FROM checks NOT INDEXED", check, rows_most);
  // An older file has no such table, and has lost nothing by it.
  if (connection.number("PRAGMA user_version").value_or(0) >= 2) {
    found.complete &= read_table(connection, "SELECT rowid, key, state FROM notes NOT INDEXED", note, rows_most);
  }
  found.complete &=
      read_table(connection, "SELECT rowid, record FROM incidents NOT INDEXED WHERE open = 0", incident, history_most);
  return found;
}

}  // namespace vitald::daemon::sqlite
