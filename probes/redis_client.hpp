// A connection to Redis over our own Stream, for the probes redis, horizon and laravel-queue: connected, authenticated,
// the database selected.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.hpp"
#include "config/secret.hpp"
#include "probes/kept.hpp"
#include "probes/probe.hpp"
#include "probes/wire/resp.hpp"

namespace vitald::probes::redis {

class Client;

struct Connection {
  net::Target where;
  std::string user;  // ACL (Redis 6); "" is the default user
  std::optional<Secret> password;
  int database = 0;
  std::shared_ptr<Kept<Client>> kept;  // nullptr: a new connection for each run

  std::string target() const { return where.text(); }
};

/// address or socket, ip_protocol, tls, user, password, database, keep_connection.
Connection read_connection(config::Reader& in);

using Command = std::vector<std::string>;

class Client {
 public:
  explicit Client(std::unique_ptr<net::Stream> stream);

  /// Sends all commands at once and reads one reply for each. Throws ProbeFailure: closed_early, bad_reply (no RESP2,
  /// or over a limit), and what the stream throws. Error replies are replies.
  awaitable<std::vector<wire::RespReply>> ask(const std::vector<Command>& commands, net::PhaseLog& phases);
  const std::string& peer() const { return stream_->peer(); }

 private:
  std::unique_ptr<net::Stream> stream_;
  wire::RespReader reader_;
};

/// Connects (or takes the kept connection, if it still answers), AUTH, SELECT. Throws ProbeFailure, with reasons of
/// their own for what Redis says: no_password, wrong_password, no_permission, too_many_clients, loading, masterdown,
/// busy, wrong_database, …
awaitable<std::unique_ptr<Client>> open(ProbeContext& context, const Connection& connection);
/// At the run's good end: keeps the connection where the check wants it, closes it otherwise.
void done(const Connection& connection, std::unique_ptr<Client> client);

/// The failure that an error reply stands for (facts: NOAUTH, WRONGPASS, NOPERM, LOADING, MASTERDOWN, BUSY, READONLY,
/// MISCONF, OOM, CLUSTERDOWN, MOVED); `doing` is said in it ("LLEN queues:default").
ProbeFailure failure_of(const wire::RespReply& error, const std::string& doing);

}  // namespace vitald::probes::redis
