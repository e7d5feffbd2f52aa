// A database session that answers from a table of statements, and notes what it was asked.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "probes/sql/session.hpp"

namespace vitald::testing {

/// A column named "n:count" is numeric and named count.
inline probes::sql::Table table(const std::vector<std::string>& columns, std::vector<probes::sql::Row> rows) {
  probes::sql::Table made;
  for (const std::string& name : columns) {
    const bool numeric = name.starts_with("n:");
    made.columns.push_back({numeric ? name.substr(2) : name, numeric});
  }
  made.rows = std::move(rows);
  return made;
}

class FakeSession final : public probes::sql::Session {
 public:
  using Answer = std::variant<probes::sql::Table, probes::sql::StatementFailure>;

  /// What statements that begin with `beginning` give; of several that fit, the longest beginning counts.
  void answer(const std::string& beginning, Answer with) { answers_.insert_or_assign(beginning, std::move(with)); }
  std::vector<std::string> asked;

  bool resume(probes::sql::Talk&) override { return true; }
  void rest() override {}
  probes::sql::Table query(const std::string& statement, const probes::sql::Bounds&) override {
    asked.push_back(statement);
    const Answer* found = nullptr;
    for (const auto& [beginning, with] : answers_) {  // sorted: a longer one comes later
      if (statement.starts_with(beginning)) found = &with;
    }
    if (found == nullptr) throw std::logic_error("no answer was prepared for: " + statement);
    if (const auto* failure = std::get_if<probes::sql::StatementFailure>(found)) throw *failure;
    return std::get<probes::sql::Table>(*found);
  }

 private:
  std::map<std::string, Answer> answers_;
};

}  // namespace vitald::testing
