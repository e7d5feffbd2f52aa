// One connection to MySQL or MariaDB, from the login on. Everything blocks: used on a worker, by one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "probes/mysql_client.hpp"
#include "probes/mysql_errors.hpp"
#include "probes/mysql_library.hpp"
#include "probes/mysql_watch.hpp"
#include "probes/sql/conversation.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::mysql {

/// MariaDB and MySQL name and measure some things differently. Out of the version that the server says.
enum class Flavour { mariadb, mysql };
Flavour flavour_of(std::string_view version);

class MySqlSession final : public sql::Session, private Listener {
 public:
  /// Not connected yet; belongs to `talk` from now on.
  MySqlSession(const Connection& connection, sql::Talk& talk);
  MySqlSession(const MySqlSession&) = delete;
  MySqlSession& operator=(const MySqlSession&) = delete;
  ~MySqlSession() override;

  bool resume(sql::Talk& talk) override;
  void rest() override;
  sql::Table query(const std::string& statement, const sql::Bounds& bounds) override;

  /// Connects to `host` and logs in; from then on nothing that is asked can change anything.
  /// Throws ProbeFailure.
  void log_in(const Connection& connection, const std::string& host);

 private:
  struct FreeResult {
    void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
  };
  using Result = std::unique_ptr<MYSQL_RES, FreeResult>;

  void arrived(std::string_view bytes) override;
  Refusal said() const;
  void check_watch();
  [[noreturn]] void fail();
  std::string account();
  void run(const std::string& statement, std::size_t most = 64 * 1024);
  void limit_statements();
  sql::Table columns(MYSQL_RES* result, const sql::Bounds& bounds);
  void read_rows(MYSQL_RES* result, const sql::Bounds& bounds, sql::Table& table);
  void cut_off();

  Watch watch_;
  Handle handle_;
  sql::Talk* talk_;  // nullptr while at rest
  Flavour flavour_ = Flavour::mariadb;
  bool connected_ = false;
  bool usable_ = true;
  Duration told_{};  // the time limit that the server was given last
};

/// Connects to `host` (a numeric address, or the name that the certificate has to be for; not looked at for a Unix
/// socket) and logs in. Throws ProbeFailure.
std::unique_ptr<sql::Session> log_in(const Connection& connection, const std::string& host, sql::Talk& talk);

}  // namespace vitald::probes::mysql
