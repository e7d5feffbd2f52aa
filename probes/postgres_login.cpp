#include "probes/postgres_login.hpp"

#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace vitald::probes::postgres {
namespace {

// libpq 15 has no `sslrootcert=system`.
constexpr std::string_view system_authorities = "/etc/ssl/certs/ca-certificates.crt";
// A path that can never exist: libpq goes on without a file that is not there, but takes the one in the home directory
// where it is told of none.
constexpr std::string_view no_file = "/dev/null/none";
// A chain of certificates and a few parameters.
constexpr std::size_t most_login_bytes = 512 * 1024;
// The loop severs the talk at the deadline, which ends every wait; this is for the case that it does not.
constexpr auto grace = std::chrono::seconds(2);

class ConnectionString {
 public:
  void add(std::string_view key, std::string_view value) {
    text_ += std::string(text_.empty() ? "" : " ") + std::string(key) + "='";
    for (const char each : value) {
      if (each == '\'' || each == '\\') text_ += '\\';
      text_ += each;
    }
    text_ += '\'';
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

std::string milliseconds(Duration length) {
  return std::to_string(
      std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(length).count()));
}

/// The server gives up before we do, so that it can say why and does not work on for nobody: first on a lock, then on
/// the statement. Not set anew for a kept connection: behind a pooler a SET would stay with the application's sessions.
std::string server_options(Duration limit) {
  return "-c default_transaction_read_only=on -c DateStyle=ISO -c lock_timeout=" + milliseconds(limit * 3 / 4) +
         " -c statement_timeout=" + milliseconds(limit * 9 / 10);
}

void add_tls(ConnectionString& text, const std::optional<net::TlsOptions>& tls) {
  const bool verified = tls && !tls->insecure;
  std::string_view authorities = no_file;  // with a file, `require` would verify as well
  if (verified) authorities = tls->ca_file.empty() ? system_authorities : std::string_view(tls->ca_file);
  const bool presents = tls && !tls->client_certificate.empty();
  text.add("sslmode", verified ? "verify-full" : tls ? "require" : "disable");
  text.add("sslrootcert", authorities);
  text.add("sslcert", presents ? std::string_view(tls->client_certificate) : no_file);
  text.add("sslkey", presents ? std::string_view(tls->client_key) : no_file);
  text.add("sslcrl", no_file);
  text.add("sslcrldir", "");
  text.add("sslsni", "1");
  text.add("sslcompression", "0");
  text.add("ssl_min_protocol_version", "TLSv1.2");
  text.add("ssl_max_protocol_version", "");
  // An unverified server gets no password, neither in clear nor as MD5: only the exchange that is bound to this very
  // TLS connection, which nobody in between can pass on.
  text.add("channel_binding", tls && tls->insecure ? "require" : "prefer");
}

/// Before OpenSSL opens them, whose words say nothing of permissions.
void check_file(const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return;
  if (errno == EACCES)
    throw ProbeFailure(Outcome::unmeasured, "denied:" + path, "vitald may not read " + path,
                       "run: setfacl -m u:vitald:r " + path);
  throw ProbeFailure(Outcome::unmeasured, "bad_file:" + path,
                     "the file " + path + " cannot be used: it does not exist");
}

/// One address's attempt.
class Attempt {
 public:
  Attempt(const Login& login, const std::string& address, Duration patience, sql::Talk& talk)
      : login_(login), talk_(talk), wire_(std::make_unique<Wire>()), connect_until_(talk.left() - patience) {
    talk_.begin("connect");
    const Duration limit = login.whole_run.value_or(talk.left());
    wire_->connection.reset(PQconnectStart(connection_string(login, address, limit).c_str()));
    if (!wire_->connection) throw std::bad_alloc();
    wire_->relay.allow(most_login_bytes);
    auto& verification = wire_->verification;
    if (!login.tls) return;
    verification.name = login.tls->server_name.empty() ? login.host : login.tls->server_name;
    verification.private_authority = !login.tls->ca_file.empty();
    verification.now = login.now;
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() { talk_.use(-1); }

  std::unique_ptr<Wire> run() {
    PGconn* const connection = wire_->connection.get();
    PQsetNoticeReceiver(
        connection, [](void*, const PGresult*) {}, nullptr);
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);  // names the SQLSTATE, whatever the server's language
    auto wanted = PGRES_POLLING_WRITING;
    while (PQstatus(connection) != CONNECTION_BAD && wanted != PGRES_POLLING_OK && wanted != PGRES_POLLING_FAILED) {
      follow(PQstatus(connection));
      wait(wanted == PGRES_POLLING_READING ? Wanted::reading : Wanted::writing);
      wanted = PQconnectPoll(connection);
      judge_certificate_ourselves();
    }
    if (PQstatus(connection) != CONNECTION_OK) fail();
    talk_.end();
    PQsetnonblocking(connection, 1);
    return std::move(wire_);
  }

  /// Nothing stood yet: another address may do better.
  bool was_connecting() const { return wire_ && !wire_->relay.attached(); }

 private:
  /// The steps as people see them. libpq comes by CONNECTION_MADE twice: before and after TLS.
  void follow(ConnStatusType status) {
    if (!wire_->relay.attached()) {
      if (status == CONNECTION_STARTED) return;
      wire_->relay.attach(PQsocket(wire_->connection.get()));
      talk_.use(wire_->relay.server());
      next(login_.tls ? "tls" : "login");
    } else if (status != CONNECTION_MADE && status != CONNECTION_SSL_STARTUP && talk_.step() == "tls") {
      next("login");
    }
  }

  void next(std::string_view step) {
    talk_.end();
    talk_.begin(step);
  }

  void wait(Wanted wanted) {
    if (!wire_->relay.attached()) return wait_to_connect(wanted);
    if (!wire_->relay.turn(wanted, talk_))
      throw ProbeFailure(Outcome::wrong, "protocol_error",
                         "what answers at " + login_.asked.where + " talks on and on during the login");
  }

  /// The socket is libpq's still, which may close it in any call: the talk knows it only while we wait.
  void wait_to_connect(Wanted wanted) {
    const int socket = PQsocket(wire_->connection.get());
    pollfd waiting{.fd = socket, .events = wanted == Wanted::reading ? short{POLLIN} : short{POLLOUT}, .revents = 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(talk_.left() - connect_until_);
    talk_.use(socket);
    const int ready = ::poll(&waiting, 1, std::max(1, static_cast<int>(left.count())));
    talk_.use(-1);
    if (ready == 0)
      throw ProbeFailure(Outcome::refused, "connect_timeout", "connect to " + login_.asked.where + ": no answer");
  }

  /// The chain is judged by vitald's own rules, which have better words than libpq ("certificate verify failed").
  /// libpq verifies the name once more when the handshake is over. No byte of the server's handshake can have been
  /// read when OpenSSL's object appears: the relay has not carried any yet.
  void judge_certificate_ourselves() {
    if (judging_ || !login_.tls || login_.tls->insecure) return;
    auto* const tls = static_cast<SSL*>(PQsslStruct(wire_->connection.get(), "OpenSSL"));
    if (tls == nullptr) return;
    judging_ = true;
    net::install_verification(SSL_get_SSL_CTX(tls));
    net::attach(tls, wire_->verification);
  }

  [[noreturn]] void fail() const {
    if (wire_->verification.failure) throw *wire_->verification.failure;
    throw login_failure(PQerrorMessage(wire_->connection.get()), login_.asked);
  }

  const Login& login_;
  sql::Talk& talk_;
  std::unique_ptr<Wire> wire_;
  const Duration connect_until_;  // as what is left of the run then
  bool judging_ = false;
};

}  // namespace

std::string connection_string(const Login& login, const std::string& address, Duration limit) {
  ConnectionString text;
  text.add("host", login.folder.empty() ? login.host : login.folder);
  text.add("hostaddr", address);
  text.add("port", std::to_string(login.port));
  text.add("user", login.asked.user);
  text.add("dbname", login.asked.database);
  text.add("password", login.password);
  text.add("passfile", no_file);
  text.add("application_name", "vitald");
  text.add("client_encoding", "UTF8");
  text.add("options", server_options(limit));
  add_tls(text, login.tls);
  text.add("gssencmode", "disable");
  text.add("krbsrvname", "postgres");
  text.add("requirepeer", "");
  text.add("target_session_attrs", "any");
  text.add("connect_timeout", "0");
  return std::move(text).text();
}

void Finish::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

Wire::~Wire() {
  connection.reset();
  if (relay.attached()) relay.flush();
}

std::unique_ptr<Wire> open_wire(const Login& login, sql::Talk& talk) {
  if (login.tls) {
    if (!login.tls->insecure) check_file(login.tls->ca_file);
    check_file(login.tls->client_certificate);
    check_file(login.tls->client_key);
  }
  const auto count = static_cast<Duration::rep>(login.addresses.size());
  for (Duration::rep i = 0; i < count; ++i) {
    // Shared out, so that one address that swallows everything leaves time for the others.
    const bool last = i + 1 == count;
    const Duration patience = last ? talk.left() + grace : talk.left() / (count - i);
    Attempt attempt(login, login.addresses[static_cast<std::size_t>(i)], patience, talk);
    try {
      return attempt.run();
    } catch (const ProbeFailure&) {
      if (last || !attempt.was_connecting() || talk.severed()) throw;
    }
  }
  throw ProbeFailure(Outcome::refused, "name_not_found", "there is no address of " + login.asked.where);
}

}  // namespace vitald::probes::postgres
