// Kinds of value for what happens by the calendar (see config/kinds.hpp).
#pragma once

#include "config/cron.hpp"
#include "config/node.hpp"

namespace vitald::config {

/// `0 7 * * 1`, `@daily`.
struct CronText {
  using value_type = Cron;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// `Europe/Istanbul`.
struct ZoneName {
  using value_type = TimeZone;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

}  // namespace vitald::config
