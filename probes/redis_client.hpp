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
  /// `hidden` is struck out of whatever error the server may repeat it in.
  explicit Client(std::unique_ptr<net::Stream> stream, std::string hidden = "");

  /// Sends all commands at once and reads one reply for each. Throws ProbeFailure: closed_early, bad_reply (no RESP2,
  /// or over a limit), what the stream throws, and failure_of() where an error was the server's last word before it
  /// closed. Other error replies are replies. `step` is static: the phase.
  awaitable<std::vector<wire::RespReply>> ask(const std::vector<Command>& commands, net::PhaseLog& phases,
                                              std::string_view step = "query");
  const std::string& peer() const { return stream_->peer(); }
  /// Whether it said no more than it was asked: then the connection may be kept.
  bool idle() const { return reader_.idle(); }

 private:
  awaitable<void> read_replies(std::size_t wanted, std::vector<wire::RespReply>& replies);
  void take_replies(std::size_t wanted, std::vector<wire::RespReply>& replies);
  void hide(wire::RespReply& reply) const;

  std::unique_ptr<net::Stream> stream_;
  std::string hidden_;
  wire::RespReader reader_;
  bool heard_ = false;  // anything at all
};

/// Connects (or takes the kept connection, if it still answers), AUTH, SELECT, PING. Throws ProbeFailure, with reasons
/// of their own for what Redis says: no_password, wrong_password, no_permission, too_many_clients, loading, masterdown,
/// busy, wrong_database, … A user that may not PING is let through.
awaitable<std::unique_ptr<Client>> open(ProbeContext& context, const Connection& connection);
/// The same with `first` in PING's place, in the same write as the login: for whoever judges the answers himself (while
/// it is loading, and without its primary, Redis still answers INFO). `first` begins with PING; `replies` gets one
/// reply for each, and both are the caller's own.
awaitable<std::unique_ptr<Client>> open_asking(ProbeContext& context, const Connection& connection,
                                               const std::vector<Command>& first,
                                               std::vector<wire::RespReply>& replies);
/// At the run's good end: keeps the connection where the check wants it, closes it otherwise.
void done(const Connection& connection, std::unique_ptr<Client> client);

/// The failure that an error reply stands for; `doing` is said in it ("LLEN queues:default"). The words that it knows:
/// NOAUTH, WRONGPASS, NOPERM, LOADING, MASTERDOWN, BUSY, READONLY, MISCONF, OOM, CLUSTERDOWN, MOVED, WRONGTYPE, DENIED.
ProbeFailure failure_of(const wire::RespReply& error, const std::string& doing);

}  // namespace vitald::probes::redis
