#include "probes/mysql_session.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "probes/authorization.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes::mysql {
namespace {

using namespace std::chrono_literals;

// Rows are read one by one and counted; this bounds what the library takes for a single one.
constexpr unsigned long largest_packet = 4 << 20;
constexpr unsigned most_columns = 1000;
constexpr std::size_t columns_allowance = 1 << 20;
constexpr std::size_t row_overhead = 8;  // on the wire: so that endless empty rows count as well

/// The library's time-outs are whole seconds. They are the second net: the run's deadline severs the connection.
unsigned whole_seconds(Duration left) {
  return static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(left).count());
}

bool is_number(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
      return true;
    default:
      return false;
  }
}

/// Whether a connection that nobody has asked anything has something to say: its end, or nonsense.
bool has_ended(int descriptor) {
  char byte = 0;
  const auto got = ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || errno != EAGAIN;
}

void check_readable(const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return;
  if (errno == EACCES)
    throw ProbeFailure(Outcome::unmeasured, "denied:" + path, "vitald may not read " + path,
                       "run: setfacl -m u:vitald:r " + path);
  throw ProbeFailure(Outcome::unmeasured, "missing:" + path, path + " cannot be read", "correct the path in the check");
}

void set_options(MYSQL* handle, const Connection& connection, const sql::Talk& talk) {
  const unsigned seconds = whole_seconds(talk.left());
  mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &seconds);
  mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
  // The name localhost would mean the library's own idea of a Unix socket otherwise.
  const unsigned protocol = connection.where.unix_path.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "vitald");
  forbid_files(handle);
  set_largest_packet(handle, largest_packet);
  const auto& tls = connection.where.tls;
  set_tls(handle, tls);
  restrict_logins(handle, tls && !tls->insecure);
}

std::string text_of(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

Flavour flavour_of(std::string_view version) {
  return version.find("MariaDB") != std::string_view::npos ? Flavour::mariadb : Flavour::mysql;
}

MySqlSession::MySqlSession(const Connection& connection, sql::Talk& talk)
    : watch_(connection.where.tls.has_value()), handle_(new_handle()), talk_(&talk) {
  set_options(handle_.get(), connection, talk);
  set_listener(handle_.get(), *this);
}

MySqlSession::~MySqlSession() {
  if (talk_ != nullptr) talk_->use(-1);
  const int descriptor = descriptor_of(handle_.get());
  // The goodbye of a few bytes finds room in an idle connection; into one that broke nothing more is written.
  if (descriptor >= 0 && (!usable_ || has_ended(descriptor))) ::shutdown(descriptor, SHUT_RDWR);
}

/// From inside the library, on the worker. The first bytes of a login are also the first moment at which the
/// connection's descriptor can be known: from here on the deadline ends it.
void MySqlSession::arrived(std::string_view bytes) {
  const int descriptor = descriptor_of(handle_.get());
  if (!connected_ && talk_ != nullptr) talk_->use(descriptor);
  connected_ = true;
  if (watch_.see(bytes) == Watch::Fault::none) return;
  usable_ = false;
  ::shutdown(descriptor, SHUT_RDWR);
}

void MySqlSession::log_in(const Connection& connection, const std::string& host) {
  const auto& where = connection.where;
  const bool by_path = !where.unix_path.empty();
  const std::string password = connection.password ? reveal(*connection.password) : "";
  const char* database = connection.database.empty() ? nullptr : connection.database.c_str();
  // A password of nullptr would be looked for in the environment.
  MYSQL* const done =
      mysql_real_connect(handle_.get(), by_path ? nullptr : host.c_str(), connection.user.c_str(), password.c_str(),
                         database, where.port, by_path ? where.unix_path.c_str() : nullptr, 0);
  if (done == nullptr) {
    talk_->use(-1);  // the library has closed it
    usable_ = false;
    if (watch_.fault() == Watch::Fault::no_tls) throw tls_missing();
    if (watch_.received() > 0 && ends_session(said())) throw broken_login(connection, said());
    throw login_failure(connection, said());
  }
  connected_ = true;
  talk_->use(descriptor_of(handle_.get()));
  if (where.tls && mysql_get_ssl_cipher(handle_.get()) == nullptr) {
    usable_ = false;
    throw tls_missing();
  }
  flavour_ = flavour_of(text_of(mysql_get_server_info(handle_.get())));
  run("SET SESSION TRANSACTION READ ONLY");
  // The session stays in the server's time zone: there a TIMESTAMP column reads as the application wrote it, and the
  // check's `timezone` says which zone that is.
}

bool MySqlSession::resume(sql::Talk& talk) {
  const LibraryThread here;
  const int descriptor = descriptor_of(handle_.get());
  if (!usable_ || descriptor < 0 || has_ended(descriptor)) return false;
  talk_ = &talk;
  talk.use(descriptor);
  told_ = Duration::zero();
  try {
    limit_statements();  // the first word to the server shows whether it is still there
  } catch (const ProbeFailure&) {
    return false;
  }
  return true;
}

void MySqlSession::rest() {
  if (talk_ != nullptr) talk_->use(-1);
  talk_ = nullptr;
}

Refusal MySqlSession::said() const { return {mysql_errno(handle_.get()), text_of(mysql_error(handle_.get()))}; }

/// What the watch saw is nearer to the truth than what the library makes of the end of the connection.
void MySqlSession::check_watch() {
  if (watch_.fault() == Watch::Fault::none) return;
  usable_ = false;
  throw watch_failure(watch_.fault());
}

void MySqlSession::fail() {
  check_watch();
  const Refusal refusal = said();
  if (!ends_session(refusal)) throw statement_failure(refusal, is_missing_privilege(refusal) ? account() : "");
  usable_ = false;
  throw lost_failure(refusal);
}

/// Whom one would have to grant something to: not the host that we come from, but that of the account.
std::string MySqlSession::account() {
  const std::string words = "the account of the check";
  try {
    const auto name = query("SELECT CURRENT_USER() AS account", {}).cell(0, "account").value_or("");
    const auto at = name.rfind('@');
    if (at == std::string::npos) return words;
    return "'" + foreign_text(name.substr(0, at)) + "'@'" + foreign_text(name.substr(at + 1)) + "'";
  } catch (const ProbeFailure&) {
    return words;
  }
}

void MySqlSession::run(const std::string& statement, std::size_t most) {
  if (has_unread(handle_.get())) watch_.blame(Watch::Fault::spoke_unasked);
  check_watch();
  watch_.expect_answer(most);
  if (mysql_real_query(handle_.get(), statement.data(), statement.size()) != 0) fail();
}

/// The server ends a statement shortly before our own deadline comes, so that it can say so.
void MySqlSession::limit_statements() {
  const Duration left = talk_ != nullptr ? talk_->left() : Duration::zero();
  if (told_ > Duration::zero() && left * 4 > told_ * 3) return;
  told_ = left;
  const auto milliseconds =
      std::max<std::int64_t>(std::chrono::floor<std::chrono::milliseconds>(left * 9 / 10).count(), 1);
  std::string seconds = std::to_string(milliseconds % 1000);
  seconds = std::to_string(milliseconds / 1000) + "." + std::string(3 - seconds.size(), '0') + seconds;
  try {
    run(flavour_ == Flavour::mariadb ? "SET SESSION max_statement_time = " + seconds
                                     : "SET SESSION max_execution_time = " + std::to_string(milliseconds));
  } catch (const sql::StatementFailure&) {
    // An old server has no such limit; our deadline is enough then.
  }
}

sql::Table MySqlSession::query(const std::string& statement, const sql::Bounds& bounds) {
  const LibraryThread here;
  if (!usable_) throw ProbeFailure(Outcome::refused, "connection_lost", "the connection is gone");
  limit_statements();
  run(statement, bounds.bytes + columns_allowance);
  const Result result(mysql_use_result(handle_.get()));
  if (!result) {
    if (mysql_errno(handle_.get()) != 0) fail();
    return {};  // a statement without an answer
  }
  sql::Table table = columns(result.get(), bounds);
  read_rows(result.get(), bounds, table);
  return table;
}

sql::Table MySqlSession::columns(MYSQL_RES* result, const sql::Bounds& bounds) {
  sql::Table table;
  const unsigned count = mysql_num_fields(result);
  const MYSQL_FIELD* fields = mysql_fetch_fields(result);
  std::size_t bytes = 0;
  for (unsigned i = 0; i < count && i < most_columns; ++i) {
    bytes += fields[i].name_length;
    table.columns.push_back({{fields[i].name, fields[i].name_length}, is_number(fields[i].type)});
  }
  if (count > most_columns || bytes > bounds.bytes) {
    cut_off();
    throw ProbeFailure(
        Outcome::unmeasured, "answer_too_large",
        "the answer has " + std::to_string(count) + " columns; " + std::to_string(most_columns) + " are read at most",
        "name the columns that are needed");
  }
  return table;
}

void MySqlSession::read_rows(MYSQL_RES* result, const sql::Bounds& bounds, sql::Table& table) {
  std::size_t bytes = 0;
  while (const MYSQL_ROW cells = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    sql::Row row;
    const bool wanted = table.rows.size() < bounds.rows;
    bytes += row_overhead;
    table.cut = table.cut || !wanted;
    for (unsigned i = 0; i < table.columns.size(); ++i) {
      bytes += cells[i] == nullptr ? 1 : lengths[i] + 1;
      if (!wanted || bytes > bounds.bytes) continue;
      row.push_back(cells[i] == nullptr ? sql::Cell() : sql::Cell(std::in_place, cells[i], lengths[i]));
    }
    if (bytes > bounds.bytes) {
      cut_off();
      if (table.cut) return;  // what is wanted is here, and the rest is not worth waiting for
      throw ProbeFailure(Outcome::unmeasured, "answer_too_large",
                         "the answer is larger than " + std::to_string(bounds.bytes) + " bytes",
                         "select fewer rows or shorter columns");
    }
    if (wanted) table.rows.push_back(std::move(row));
  }
  if (mysql_errno(handle_.get()) != 0) fail();
}

/// The rest of an answer would have to be read before the next statement, however long it is: the connection is ended
/// instead, and with it the library's reading.
void MySqlSession::cut_off() {
  usable_ = false;
  ::shutdown(descriptor_of(handle_.get()), SHUT_RDWR);
}

std::unique_ptr<sql::Session> log_in(const Connection& connection, const std::string& host, sql::Talk& talk) {
  const LibraryThread here;
  if (talk.severed()) throw ProbeFailure(Outcome::refused, "timeout", "the run's time was up before the login");
  if (const auto& tls = connection.where.tls) {
    for (const auto* path : {&tls->ca_file, &tls->client_certificate, &tls->client_key}) check_readable(*path);
  }
  auto session = std::make_unique<MySqlSession>(connection, talk);
  talk.begin("login");
  session->log_in(connection, host);
  talk.end();
  return session;
}

}  // namespace vitald::probes::mysql
