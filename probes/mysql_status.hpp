// What a MySQL or MariaDB server counts about itself, and the statement that it has been working on for longest.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/observation.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::mysql {

struct StatusFacts {
  std::map<std::string, std::string> values;  // of SHOW GLOBAL STATUS and VARIABLES, as the server spells them
  std::optional<double> deadlocks;            // where it is not among them
  std::optional<ProbeFailure> trouble;        // the server refused this step; the others go on

  std::optional<double> number(const std::string& name) const;
  std::string text(const std::string& name) const;
  bool is_mariadb() const;
  bool is_read_only() const;
};

StatusFacts ask_status(sql::Session& session);
/// The samples, and the server's version and age.
void judge_status(const StatusFacts& facts, Observation& seen);

struct ProcessFacts {
  bool sees_all = false;  // other people's statements as well
  sql::Table longest;     // one row or none: user, db, state, seconds, info
  std::optional<ProbeFailure> trouble;
};

ProcessFacts ask_processes(sql::Session& session);
void judge_processes(const ProcessFacts& facts, Observation& seen);

/// What was not measured, and what would have to be granted for it.
void add_gap(const std::string& label, const std::optional<ProbeFailure>& trouble, Observation& seen);

}  // namespace vitald::probes::mysql
