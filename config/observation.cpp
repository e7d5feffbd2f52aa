#include "config/observation.hpp"

namespace vitald {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::warning:
      return "warning";
    case Status::critical:
      return "critical";
    case Status::unknown:
      return "unknown";
  }
  return "unknown";
}

Status worse(Status a, Status b) {
  // The numbers of Status are those of Nagios and of vitald_check_status, where unknown comes last.
  const auto rank = [](Status status) {
    return status == Status::critical ? 3 : status == Status::unknown ? 2 : status == Status::warning ? 1 : 0;
  };
  return rank(a) >= rank(b) ? a : b;
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::p0:
      return "P0";
    case Severity::p1:
      return "P1";
    case Severity::p2:
      return "P2";
    case Severity::p3:
      return "P3";
  }
  return "P2";
}

}  // namespace vitald
