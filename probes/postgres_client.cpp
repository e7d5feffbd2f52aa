#include "probes/postgres_client.hpp"

#include <charconv>
#include <utility>

#include "probes/authorization.hpp"
#include "probes/options.hpp"
#include "probes/postgres_session.hpp"

namespace vitald::probes::postgres {
namespace {

constexpr std::string_view socket_prefix = "/.s.PGSQL.";

/// The port in "/run/postgresql/.s.PGSQL.5432"; nothing where the path is that of a folder.
std::optional<std::uint16_t> port_of(const std::string& path) {
  const auto at = path.rfind(socket_prefix);
  if (at == std::string::npos) return std::nullopt;
  const std::string_view digits = std::string_view(path).substr(at + socket_prefix.size());
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || stop != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

/// libpq knows sockets as a folder and a port; people know the file.
std::string socket_file(std::string path) {
  if (port_of(path)) return path;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path + std::string(socket_prefix) + "5432";
}

/// All but the addresses. Reveals the secret: on the loop, never beside a reload that loads it.
Login login_of(const Connection& connection, const ProbeContext& context) {
  Login login;
  const auto& where = connection.where;
  login.asked = {.where = where.text(),
                 .socket_path = where.unix_path,
                 .user = connection.user,
                 .database = connection.database.empty() ? connection.user : connection.database};
  if (const auto port = port_of(where.unix_path)) {
    login.folder = where.unix_path.substr(0, where.unix_path.rfind(socket_prefix));
    login.port = *port;
  } else {
    login.host = where.tls && !where.tls->server_name.empty() ? where.tls->server_name : where.host;
    login.port = where.port;
    login.tls = where.tls;
  }
  if (connection.password) login.password = reveal(*connection.password);
  if (connection.kept) login.whole_run = context.deadline - context.started.steady;
  login.now = context.started.wall;
  return login;
}

void check(config::Reader& in, const Connection& connection) {
  const auto& where = connection.where;
  if (!where.unix_path.empty()) {
    if (!where.unix_path.starts_with('/'))
      in.problem("socket", "expected an absolute path such as /run/postgresql/.s.PGSQL.5432");
    if (where.tls) in.problem("tls", "PostgreSQL speaks no TLS over a Unix socket: leave out 'tls' or give 'address'");
  }
  // libpq takes a comma for the end of one host of several.
  const auto has_comma = [](const std::string& text) { return text.find(',') != std::string::npos; };
  if (has_comma(where.unix_path) || has_comma(where.host) || (where.tls && has_comma(where.tls->server_name)))
    in.problem("", "a comma cannot stand in a host's name or a socket's path");
}

}  // namespace

Connection read_connection(config::Reader& in) {
  Connection connection;
  connection.where = read_target(
      in, {.address = "Host and port of the server",
           .socket = "Unix socket instead: /run/postgresql/.s.PGSQL.5432, or its folder for port 5432",
           .tls = "Speak TLS and verify the server: `true`, or a mapping of the options of TLS. Without it nothing is "
                  "encrypted"});
  connection.user = in.required("user", config::Text{.longest = 128}, "Role to log in as");
  connection.password = in.maybe("password", config::SecretText{}, "Its password");
  connection.database = in.optional("database", config::Text{.longest = 128, .may_be_empty = true}, "",
                                    "Database; left out: the role's own name");
  const bool keep = in.optional("keep_connection", config::Boolean{}, false,
                                "Keep the connection from run to run instead of logging in each time");

  if (!connection.where.unix_path.empty()) connection.where.unix_path = socket_file(connection.where.unix_path);
  if (keep) connection.kept = std::make_shared<Kept<sql::Session>>();
  check(in, connection);
  return connection;
}

awaitable<void> with_session(ProbeContext& context, const Connection& connection, sql::Questions ask) {
  auto login = login_of(connection, context);
  if (login.folder.empty()) {
    login.addresses = co_await context.network.resolve(connection.where, context.phases);
  } else {
    login.addresses.emplace_back();
  }
  sql::Login enter = [login = std::move(login)](sql::Talk& talk) { return log_in(login, talk); };
  co_await sql::with_session(context, connection.target(), std::move(enter), connection.kept, std::move(ask));
}

}  // namespace vitald::probes::postgres
