// Whether a MySQL or MariaDB server replicates from another, and how far it is behind. Both spell the columns in their
// own way, newer versions in another, and either can have several sources.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/mysql_status.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::mysql {

enum class ReplicaUse { automatic, required, never };

/// One source of a replica.
struct Channel {
  std::string name;  // "" for the only one
  std::string source;
  std::string io, sql;        // the two threads: Yes, No, Connecting, …
  std::optional<double> lag;  // seconds; nothing while a thread does not run
  std::string error;          // the last one, without the statement it is about
};

struct ReplicationFacts {
  std::vector<Channel> channels;  // empty: not a replica
  std::optional<ProbeFailure> trouble;
};

ReplicationFacts ask_replication(sql::Session& session, bool mariadb);
std::vector<Channel> channels_of(const sql::Table& table);

/// The samples; and the fault, where there is one.
std::optional<ProbeFailure> judge_replication(const ReplicationFacts& facts, ReplicaUse use, Observation& seen);

}  // namespace vitald::probes::mysql
