// The kinds of value that only the whole configuration knows (config/kinds.hpp has the general ones and the contract).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "alerting/rules.hpp"
#include "config/kinds.hpp"

namespace vitald::daemon {

/// A part that somebody else reads: the node itself. The schema is asked for only when describing.
struct Raw {
  using value_type = const config::Node*;
  std::string type;
  std::function<std::string()> describe;
  std::string type_name() const { return type; }
  std::string schema() const { return describe(); }
  Result<value_type> read(const config::Node& node, config::Problems&) const { return &node; }
  value_type dummy() const { return nullptr; }
  std::string show(const value_type&) const { return ""; }
};

/// `calm`, `fast`, or { failures: 4, spread: [ 5s, 10s, 15s ] }.
struct Confirm {
  using value_type = alerting::Confirmation;
  static value_type calm();
  static value_type fast();
  std::string type_name() const { return "`calm`, `fast` or a mapping"; }
  std::string schema() const;
  Result<value_type> read(const config::Node&, config::Problems&) const;
  value_type dummy() const { return calm(); }
  std::string show(const value_type&) const;
};

/// What the two bad verdicts of a check mean.
struct Severities {
  Severity critical = Severity::p2;
  Severity warning = Severity::p2;
};

/// `P1`, or { critical: P0, warning: P1 }. A warning is P2 at most where it is not said.
struct SeverityPair {
  using value_type = Severities;
  std::string type_name() const { return "P0 to P3, or a mapping"; }
  std::string schema() const;
  Result<value_type> read(const config::Node&, config::Problems&) const;
  value_type dummy() const { return {}; }
  std::string show(const value_type&) const;
};

/// Labels of a user: names that Prometheus takes and that are not ours; sorted.
struct UserLabels {
  using value_type = Labels;
  std::string type_name() const { return "mapping of text"; }
  std::string schema() const;
  Result<value_type> read(const config::Node&, config::Problems&) const;
  value_type dummy() const { return {}; }
  std::string show(const value_type&) const { return ""; }
};

struct AbsolutePath {
  using value_type = std::string;
  std::string type_name() const { return "absolute path"; }
  std::string schema() const { return R"({"type":"string","pattern":"^/"})"; }
  Result<value_type> read(const config::Node&, config::Problems&) const;
  value_type dummy() const { return "/"; }
  std::string show(const value_type& path) const { return path; }
};

/// An http:// or https:// address that people click on; anything else could run a script on the page.
struct WebAddress {
  using value_type = std::string;
  std::string type_name() const { return "http(s) address"; }
  std::string schema() const { return R"({"type":"string","pattern":"^https?://[^ ]+$"})"; }
  Result<value_type> read(const config::Node&, config::Problems&) const;
  value_type dummy() const { return ""; }
  std::string show(const value_type& address) const { return address; }
};

/// `127.0.0.1:9642` or `[::1]:9642`; the host is numeric. Port 0 lets the kernel choose.
struct ListenAddress {
  using value_type = std::pair<std::string, std::uint16_t>;
  std::string type_name() const { return "address:port"; }
  std::string schema() const { return R"({"type":"string","pattern":"^.+:[0-9]+$"})"; }
  Result<value_type> read(const config::Node&, config::Problems&) const;
  value_type dummy() const { return {"127.0.0.1", 9642}; }
  std::string show(const value_type&) const;
};

/// Why `name` cannot be the name of a check or receiver, or "".
std::string objection_to_name(std::string_view name);

}  // namespace vitald::daemon
