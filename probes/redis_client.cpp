#include "probes/redis_client.hpp"

#include <array>

#include "probes/authorization.hpp"
#include "probes/foreign_text.hpp"
#include "probes/options.hpp"

namespace vitald::probes::redis {
namespace {

using wire::RespReply;

constexpr std::size_t piece_bytes = 16 * 1024;
// A password as short as that stands in half of all sentences, and striking it out there would tell it.
constexpr std::size_t shortest_hidden = 4;

constexpr const char* tls_remedy = "see the log of Redis; if it speaks TLS on this port, set tls: true in the check";

bool says(const RespReply& error, std::string_view words) { return error.text.find(words) != std::string::npos; }

struct Known {
  std::string_view word;  // the error's first
  Outcome outcome;
  const char* reason;
  const char* words;
  const char* remedy;
};

constexpr std::array known = {
    Known{"NOAUTH", Outcome::unmeasured, "no_password", "Redis wants a password",
          "set password (and user, where Redis has users) in the check"},
    Known{"WRONGPASS", Outcome::unmeasured, "wrong_password", "Redis does not take the check's password",
          "compare user and password of the check with requirepass in redis.conf, or with ACL LIST"},
    Known{"NOPERM", Outcome::unmeasured, "no_permission", "the check's Redis user may not do this",
          "grant it with ACL SETUSER; docs/probes/redis.md has the smallest set of rights"},
    Known{"LOADING", Outcome::wrong, "loading", "Redis is still loading its data into memory", ""},
    Known{"MASTERDOWN", Outcome::wrong, "masterdown", "this replica has lost its primary and serves nothing",
          "see whether the primary runs and is reached from here: INFO replication"},
    Known{"BUSY", Outcome::wrong, "busy", "Redis is busy with a script that does not end and serves nothing else",
          "SCRIPT KILL (or FUNCTION KILL) ends a script that has written nothing yet"},
    Known{"UNKILLABLE", Outcome::wrong, "busy", "Redis is busy with a script that does not end and serves nothing else",
          "the script has written already: only SHUTDOWN NOSAVE ends it"},
    Known{"READONLY", Outcome::wrong, "readonly", "this Redis is a read-only replica", ""},
    Known{"OOM", Outcome::wrong, "out_of_memory", "Redis has reached maxmemory and refuses writes",
          "raise maxmemory, free keys, or set a maxmemory-policy that evicts"},
    Known{"CLUSTERDOWN", Outcome::wrong, "cluster_down", "the Redis cluster is down",
          "see which slots are not served: CLUSTER INFO"},
    Known{"MOVED", Outcome::unmeasured, "moved", "the key lives on another node of the cluster",
          "point the check at the node that holds the key: CLUSTER SLOTS"},
    Known{"ASK", Outcome::unmeasured, "moved", "the key is moving to another node of the cluster",
          "point the check at the node that holds the key: CLUSTER SLOTS"},
    Known{"WRONGTYPE", Outcome::unmeasured, "wrong_type", "the key holds another type of value",
          "ask Redis with TYPE what it is"},
    Known{"DENIED", Outcome::unmeasured, "protected_mode", "Redis takes connections from its own host only",
          "give Redis a password and see protected-mode and bind in its redis.conf"},
};

ProbeFailure with(const Known& row, const std::string& doing) {
  return ProbeFailure(row.outcome, row.reason, doing + ": " + row.words, row.remedy);
}

/// Errors that begin with the plain word ERR, or with one that has no row of its own.
ProbeFailure other_failure(const RespReply& error, const std::string& doing) {
  if (says(error, "max number of clients"))
    return ProbeFailure(Outcome::refused, "too_many_clients", "Redis has as many clients as it takes and refuses more",
                        "see who holds them with CLIENT LIST, or raise maxclients");
  if (says(error, "unknown command"))
    return ProbeFailure(Outcome::unmeasured, "unknown_command", doing + ": this Redis does not know the command",
                        "it is too old for it, or redis.conf renames it (rename-command)");
  return ProbeFailure(Outcome::wrong, "error_reply", doing + ": Redis answered '" + foreign_text(error.text, 120) + "'",
                      "");
}

ProbeFailure auth_failure(const RespReply& error) {
  if (error.error_word() == "ERR" && says(error, "invalid password"))  // before Redis 6
    return ProbeFailure(Outcome::unmeasured, "wrong_password", "AUTH: Redis does not take the check's password",
                        "compare the check's password with requirepass in redis.conf");
  if (says(error, "without any password configured") || says(error, "no password is set"))
    return ProbeFailure(Outcome::unmeasured, "password_not_wanted", "AUTH: the check has a password and Redis has none",
                        "take the password out of the check, or set requirepass: this Redis is open to everybody");
  if (says(error, "wrong number of arguments"))
    return ProbeFailure(Outcome::unmeasured, "user_not_known", "AUTH: this Redis is older than 6 and knows no users",
                        "take user out of the check");
  return failure_of(error, "AUTH");
}

ProbeFailure select_failure(const RespReply& error, int database) {
  const std::string doing = "SELECT " + std::to_string(database);
  if (says(error, "DB index"))
    return ProbeFailure(Outcome::unmeasured, "wrong_database", doing + ": Redis has no database of that number",
                        "correct database in the check, or raise databases in redis.conf");
  if (says(error, "cluster mode"))
    return ProbeFailure(Outcome::unmeasured, "wrong_database", doing + ": a Redis cluster has database 0 only",
                        "take database out of the check");
  return failure_of(error, doing);
}

ProbeFailure bad_reply(const std::string& peer, const std::string& what) {
  const bool tls = what.ends_with("this is TLS");
  return ProbeFailure(Outcome::wrong, "bad_reply", peer + ": " + what, tls ? "set tls: true in the check" : "");
}

/// The other side is no longer there; what it said before still counts.
bool is_gone(const ProbeFailure& failure) {
  return failure.reason == "connection_reset" || failure.reason == "closed_early" || failure.reason == "tls_closed";
}

/// Too many clients, protected mode, a protocol error: Redis says so once and closes.
ProbeFailure end_of(const ProbeFailure& gone, const std::vector<RespReply>& replies, bool may_want_tls) {
  if (!replies.empty() && replies.back().is_error()) return failure_of(replies.back(), "the connection was closed");
  if (!may_want_tls) return gone;
  return ProbeFailure(gone.outcome, gone.reason, std::string(gone.what()) + " (perhaps it expects TLS)", tls_remedy);
}

}  // namespace

Connection read_connection(config::Reader& in) {
  Connection connection;
  connection.where = read_target(in, {.address = "Host and port to connect to",
                                      .socket = "Path of a Unix socket to connect to instead",
                                      .tls = "Speak TLS: `true`, or a mapping of the options of the tcp probe"});
  connection.user = in.optional("user", config::Text{.longest = 256, .may_be_empty = true}, "",
                                "User of the access control list; none is the default user");
  connection.password = in.maybe("password", config::SecretText{}, "Password");
  connection.database = static_cast<int>(
      in.optional("database", config::Integer{.smallest = 0, .largest = 99'999}, 0, "Number of the database"));
  const bool keep = in.optional("keep_connection", config::Boolean{}, false,
                                "Leave the connection open for the next run instead of making a new one each time");

  if (!connection.user.empty() && !connection.password) in.problem("user", "'user' needs a 'password' as well");
  if (keep) connection.kept = std::make_shared<Kept<Client>>();
  return connection;
}

ProbeFailure failure_of(const RespReply& error, const std::string& doing) {
  const auto word = error.error_word();
  for (const Known& row : known)
    if (row.word == word) return with(row, doing);
  if (word != "MISCONF") return other_failure(error, doing);
  const bool aof = says(error, "AOF");
  return ProbeFailure(Outcome::wrong, aof ? "aof_failed" : "save_failed",
                      doing + ": Redis refuses writes since it could not " +
                          (aof ? "write its append-only file" : "save its data to disk"),
                      "see the disk (full, or not writable for Redis) and the log of Redis");
}

Client::Client(std::unique_ptr<net::Stream> stream, std::string hidden)
    : stream_(std::move(stream)), hidden_(std::move(hidden)) {}

/// Redis repeats the arguments of a command that it does not know, and AUTH may be one.
void Client::hide(RespReply& reply) const {
  if (hidden_.size() < shortest_hidden || !reply.is_error()) return;
  for (auto at = reply.text.find(hidden_); at != std::string::npos; at = reply.text.find(hidden_, at + 3))
    reply.text.replace(at, hidden_.size(), "***");
}

void Client::take_replies(std::size_t wanted, std::vector<RespReply>& replies) {
  while (replies.size() < wanted) {
    auto next = reader_.next();
    if (!next) throw bad_reply(peer(), next.failure().what);
    if (!*next) return;
    hide(**next);
    replies.push_back(std::move(**next));
  }
}

awaitable<void> Client::read_replies(std::size_t wanted, std::vector<RespReply>& replies) {
  std::string piece(piece_bytes, '\0');
  take_replies(wanted, replies);
  while (replies.size() < wanted) {
    const auto size = co_await stream_->read_some(piece);
    if (size == 0)
      throw ProbeFailure(Outcome::refused, "closed_early", peer() + " closed the connection without an answer");
    heard_ = true;
    const auto fed = reader_.feed(std::string_view(piece).substr(0, size));
    if (!fed) throw bad_reply(peer(), fed.failure().what);
    take_replies(wanted, replies);
  }
}

awaitable<std::vector<RespReply>> Client::ask(const std::vector<Command>& commands, net::PhaseLog& phases,
                                              std::string_view step) {
  phases.begin(step);
  std::string bytes;
  for (const Command& command : commands) bytes += wire::resp_command(command);
  std::vector<RespReply> replies;
  std::optional<ProbeFailure> gone;
  try {
    co_await stream_->write(bytes);
  } catch (const ProbeFailure& failure) {
    if (!is_gone(failure)) throw;
    gone = failure;
  }
  // Who refuses a client says so and closes at once: the word is there to read even if nothing could be written.
  try {
    co_await read_replies(commands.size(), replies);
  } catch (const ProbeFailure& failure) {
    if (!is_gone(failure)) throw;
    if (!gone) gone = failure;
  }
  if (replies.size() < commands.size()) throw end_of(*gone, replies, !heard_ && stream_->tls() == nullptr);
  phases.mark(step);
  co_return replies;
}

namespace {

/// AUTH and SELECT, where the check needs them.
std::vector<Command> login_commands(const Connection& connection, const std::string& password) {
  std::vector<Command> commands;
  if (connection.password) {
    commands.push_back({"AUTH"});
    if (!connection.user.empty()) commands.back().push_back(connection.user);
    commands.back().push_back(password);
  }
  if (connection.database != 0) commands.push_back({"SELECT", std::to_string(connection.database)});
  return commands;
}

/// A status as Redis gives it, or an error.
void check_status(const RespReply& reply, std::string_view wanted, const Command& command, const std::string& peer) {
  if (reply.is_error() || (reply.type == RespReply::Type::status && reply.text == wanted)) return;
  throw bad_reply(peer, "the answer to " + command.front() + " is not one that Redis gives");
}

void judge_login(const Connection& connection, const Command& command, const RespReply& reply) {
  if (!reply.is_error()) return;
  if (command.front() == "AUTH") throw auth_failure(reply);
  throw select_failure(reply, connection.database);
}

/// A user without the right to PING is no reason to think that nobody is there.
bool is_pong(const RespReply& reply) { return reply.text == "PONG" || reply.error_word() == "NOPERM"; }

/// The kept connection, if the server has not closed it since and would still serve on it. One whose peer has vanished
/// without a word costs a time-out once: the next run finds none here and connects.
awaitable<std::unique_ptr<Client>> take_kept(ProbeContext& context, const Connection& connection,
                                             const std::vector<Command>& first, std::vector<RespReply>& replies) {
  std::unique_ptr<Client> client = connection.kept ? connection.kept->take() : nullptr;
  if (!client) co_return nullptr;
  try {
    replies = co_await client->ask(first, context.phases, "login");
  } catch (const ProbeFailure&) {
    co_return nullptr;
  }
  if (!is_pong(replies.front())) co_return nullptr;
  co_return client;
}

}  // namespace

awaitable<std::unique_ptr<Client>> open_asking(ProbeContext& context, const Connection& connection,
                                               const std::vector<Command>& first, std::vector<RespReply>& replies) {
  auto kept = co_await take_kept(context, connection, first, replies);
  if (kept) co_return kept;
  const std::string password = connection.password ? reveal(*connection.password) : "";
  auto commands = login_commands(connection, password);
  const std::size_t logins = commands.size();
  commands.insert(commands.end(), first.begin(), first.end());
  auto stream = co_await context.network.connect(connection.where, context.phases);
  auto client = std::make_unique<Client>(std::move(stream), password);
  replies = co_await client->ask(commands, context.phases, "login");
  for (std::size_t i = 0; i <= logins; ++i) {
    check_status(replies[i], i < logins ? "OK" : "PONG", commands[i], client->peer());
    if (i < logins) judge_login(connection, commands[i], replies[i]);
  }
  replies.erase(replies.begin(), replies.begin() + static_cast<std::ptrdiff_t>(logins));
  co_return client;
}

awaitable<std::unique_ptr<Client>> open(ProbeContext& context, const Connection& connection) {
  const std::vector<Command> first(1, Command(1, "PING"));
  std::vector<RespReply> replies;
  auto client = co_await open_asking(context, connection, first, replies);
  const RespReply& ping = replies.front();
  if (ping.is_error() && !is_pong(ping)) throw failure_of(ping, "PING");
  co_return client;
}

void done(const Connection& connection, std::unique_ptr<Client> client) {
  if (connection.kept && client->idle()) connection.kept->put(std::move(client));
}

}  // namespace vitald::probes::redis
