// What the postgres probe asks a server (12 and later). All of it may be asked by any role; without pg_monitor the
// server hides what other roles' sessions do, so that some columns are NULL.
#pragma once

#include <string_view>

namespace vitald::probes::postgres {

/// One row, at once, out of memory: the SELECT 1 of the ladder.
inline constexpr std::string_view basics_statement = R"sql(
SELECT pg_is_in_recovery() AS in_recovery,
       current_setting('server_version') AS version,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS privileged)sql";

/// One row. Sessions of other roles have neither a backend_type nor a state for a role without pg_monitor, but they do
/// have a database and a role, which background processes lack.
/// On a replica the age of the last replayed transaction grows while the primary is idle, hence the distance in bytes
/// beside it.
inline constexpr std::string_view statistics_statement = R"sql(
SELECT activity.*, totals.*, slots.*, replay.*,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) AS max_connections,
       (SELECT max(age(datfrozenxid)) FROM pg_database) AS xid_age,
       (SELECT count(*) FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup') AS standbys
FROM (SELECT count(*) FILTER (WHERE backend_type = 'client backend' OR
                                    (backend_type IS NULL AND datid IS NOT NULL AND usesysid IS NOT NULL))
               AS connections,
             extract(epoch FROM max(clock_timestamp() - xact_start) FILTER (WHERE busy)) AS longest_transaction,
             extract(epoch FROM max(clock_timestamp() - query_start) FILTER (WHERE busy AND state = 'active'))
               AS longest_query,
             extract(epoch FROM max(clock_timestamp() - state_change)
                                  FILTER (WHERE busy AND state LIKE 'idle in transaction%')) AS idle_in_transaction,
             count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting_on_locks
      FROM (SELECT *, backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid() AS busy
            FROM pg_stat_activity) AS all_sessions) AS activity,
     (SELECT sum(xact_commit) AS commits, sum(xact_rollback) AS rollbacks, sum(deadlocks) AS deadlocks,
             sum(conflicts) AS conflicts, sum(temp_bytes) AS temp_bytes, sum(checksum_failures) AS checksum_failures
      FROM pg_stat_database) AS totals,
     (SELECT count(*) FILTER (WHERE NOT active) AS inactive_slots,
             coalesce(max(greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                                        ELSE pg_current_wal_lsn() END, restart_lsn), 0)), 0)
               AS slots_retained
      FROM pg_replication_slots) AS slots,
     (SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) AS replay_age,
             greatest(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0) AS replay_bytes,
             CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS replay_paused,
             CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
                  THEN current_setting('primary_conninfo') <> '' END AS streams,
             (SELECT count(*) FROM pg_stat_wal_receiver) AS receivers,
             (SELECT extract(epoch FROM clock_timestamp() - max(last_msg_receipt_time)) FROM pg_stat_wal_receiver)
               AS receiver_silent) AS replay)sql";

/// One row for each standby; replay_lag is NULL where the standby has replayed all and nothing happens.
inline constexpr std::string_view standbys_statement = R"sql(
SELECT application_name AS name, host(client_addr) AS address, state, sync_state,
       extract(epoch FROM replay_lag) AS seconds,
       greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                     ELSE pg_current_wal_lsn() END, replay_lsn), 0) AS bytes
FROM pg_stat_replication
WHERE state <> 'backup'
ORDER BY application_name, client_addr, client_port)sql";

/// The sessions behind the samples: at most one row for each, told apart by `what`. Finding out who blocks takes the
/// server's lock table for a moment, so it is asked for one session only.
inline constexpr std::string_view sessions_statement = R"sql(
WITH busy AS MATERIALIZED (
  SELECT pid, usename, datname, application_name, state, wait_event_type, wait_event, xact_start, query_start,
         left(query, 2000) AS query
  FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid())
(SELECT 'longest transaction' AS what, busy.*, extract(epoch FROM clock_timestamp() - xact_start) AS seconds,
        NULL AS blockers
 FROM busy WHERE xact_start IS NOT NULL ORDER BY xact_start LIMIT 1)
UNION ALL
(SELECT 'longest query', busy.*, extract(epoch FROM clock_timestamp() - query_start), NULL
 FROM busy WHERE state = 'active' ORDER BY query_start LIMIT 1)
UNION ALL
(SELECT 'waiting on a lock', waiting.*, extract(epoch FROM clock_timestamp() - query_start),
        (SELECT string_agg(pid::text, ', ') FROM unnest(pg_blocking_pids(waiting.pid)) AS pid)
 FROM (SELECT * FROM busy WHERE wait_event_type = 'Lock' ORDER BY query_start LIMIT 1) AS waiting))sql";

}  // namespace vitald::probes::postgres
