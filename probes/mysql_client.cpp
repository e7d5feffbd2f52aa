#include "probes/mysql_client.hpp"

#include <exception>
#include <utility>
#include <vector>

#include "probes/mysql_errors.hpp"
#include "probes/mysql_session.hpp"
#include "probes/options.hpp"

namespace vitald::probes::mysql {
namespace {

// sockaddr_un has room for this much, and the library copies the path without looking.
constexpr std::size_t longest_socket_path = 107;

void check_tls(config::Reader& in, const net::Target& where) {
  if (!where.tls) return;
  if (!where.unix_path.empty()) {
    in.problem("tls", "is not possible with 'socket': a Unix socket does not leave the host");
    return;
  }
  // The library verifies the name that it was told to connect to, and looks that up itself.
  if (!where.tls->server_name.empty() && where.tls->server_name != where.host) {
    in.problem("tls", "'server_name' has to be the host of 'address': write address: " + where.tls->server_name + ":" +
                          std::to_string(where.port));
  }
  if (where.family != net::Family::any && !where.tls->insecure) {
    in.problem("ip_protocol", "is not possible with a verified 'tls'");
  }
}

/// What the library is to connect to, one after the other. A name whose certificate is to be verified it has to look up
/// itself, and tries all its addresses.
std::vector<std::string> hosts_for(const net::Target& where, std::vector<std::string> addresses) {
  if (where.tls && !where.tls->insecure) return {where.host};
  return addresses;
}

}  // namespace

Connection read_connection(config::Reader& in) {
  Connection connection;
  connection.where =
      read_target(in, {.address = "Host and port of the server, such as 127.0.0.1:3306",
                       .socket = "Path of the server's Unix socket instead",
                       .tls = "Speak TLS, and nothing else: `true`, or a mapping of ca_file and the like",
                       .longest_socket = longest_socket_path});
  connection.user = in.required("user", config::Text{.longest = 128}, "Account to log in with");
  connection.password = in.maybe("password", config::SecretText{}, "Its password");
  connection.database =
      in.optional("database", config::Text{.longest = 128, .may_be_empty = true}, "", "Database to use");
  const bool keep = in.optional("keep_connection", config::Boolean{}, false,
                                "Keep one connection open between the runs instead of logging in each time");

  if (connection.where.host.find(',') != std::string::npos) in.problem("address", "expected one host");
  check_tls(in, connection.where);
  if (keep) connection.kept = std::make_shared<Kept<sql::Session>>();
  return connection;
}

awaitable<void> with_session(ProbeContext& context, const Connection& connection, sql::Questions ask) {
  std::vector<std::string> hosts(1);
  if (connection.where.unix_path.empty()) {
    // In any case, so that trouble with the name is told apart from trouble with the server.
    auto addresses = co_await context.network.resolve(connection.where, context.phases);
    hosts = hosts_for(connection.where, std::move(addresses));
  }
  std::exception_ptr failure;
  for (const std::string& host : hosts) {
    sql::Login login = [connection, host](sql::Talk& talk) { return log_in(connection, host, talk); };
    bool nobody_there = false;
    failure = nullptr;
    try {
      co_await sql::with_session(context, connection.target(), std::move(login), connection.kept, ask);
    } catch (const ProbeFailure& caught) {
      nobody_there = caught.reason == connect_failed;
      failure = std::current_exception();
    }
    if (!failure) co_return;
    if (!nobody_there) std::rethrow_exception(failure);
  }
  // Why nobody is there: the kernel says it again. Where somebody is there by now, the first answer stands.
  net::Target plain = connection.where;
  plain.tls.reset();
  const auto stream = co_await context.network.connect(plain, context.phases);
  std::rethrow_exception(failure);
}

}  // namespace vitald::probes::mysql
