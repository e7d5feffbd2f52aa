// A session with PostgreSQL: one logged-in connection that answers statements, row by row and within bounds.
#pragma once

#include <memory>

#include "probes/postgres_login.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::postgres {

/// Logs in on a worker: connect, tls and login become phases; each query() is the phase of that name. Throws
/// ProbeFailure.
std::unique_ptr<sql::Session> log_in(const Login& login, sql::Talk& talk);

}  // namespace vitald::probes::postgres
