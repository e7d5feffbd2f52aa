// One connection to MySQL or MariaDB, from the login on. Everything blocks: used on a worker, by one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "probes/mysql_client.hpp"
#include "probes/mysql_errors.hpp"
#include "probes/mysql_library.hpp"
#include "probes/sql/conversation.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::mysql {

/// MariaDB and MySQL name and measure some things differently. Out of the version that the server says.
enum class Flavour { mariadb, mysql };
Flavour flavour_of(std::string_view version);

class MySqlSession final : public sql::Session {
 public:
  /// Takes over a connection that is logged in, and belongs to `talk` from then on. `encrypted`: it has to be.
  MySqlSession(Handle handle, bool encrypted, sql::Talk& talk);
  MySqlSession(const MySqlSession&) = delete;
  MySqlSession& operator=(const MySqlSession&) = delete;
  ~MySqlSession() override;

  bool resume(sql::Talk& talk) override;
  void rest() override;
  sql::Table query(const std::string& statement, const sql::Bounds& bounds) override;

  /// Once after the login: nothing that is asked may change anything, and times are in UTC.
  void begin();

 private:
  struct FreeResult {
    void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
  };
  using Result = std::unique_ptr<MYSQL_RES, FreeResult>;

  Refusal said() const;
  [[noreturn]] void fail();
  void run(const std::string& statement);
  void limit_statements();
  sql::Table columns(MYSQL_RES* result, const sql::Bounds& bounds);
  void read_rows(MYSQL_RES* result, const sql::Bounds& bounds, sql::Table& table);
  void cut_off();

  Handle handle_;
  bool encrypted_;
  sql::Talk* talk_;  // nullptr while at rest
  Flavour flavour_;
  bool usable_ = true;
  Duration told_{};  // the time limit that the server was given last
};

/// Connects to `host` (a numeric address, or the name that the certificate has to be for; not looked at for a Unix
/// socket) and logs in. Throws ProbeFailure.
std::unique_ptr<sql::Session> log_in(const Connection& connection, const std::string& host, sql::Talk& talk);

}  // namespace vitald::probes::mysql
