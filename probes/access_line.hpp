// One line of a web server's access log: what it says of the request. Does no I/O.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/kinds.hpp"
#include "probes/json_path.hpp"

namespace re2 {
class RE2;
}

namespace vitald::probes {

struct AccessLine {
  int status = 0;                 // 100 to 599
  std::optional<double> seconds;  // the request took
  std::string request;            // "GET /path", without what follows a question mark: it may hold secrets
};

/// Names of the members of a JSON line, or paths such as $.request.status.
struct AccessFields {
  std::string status = "status", request_time = "request_time", method = "request_method", path = "request_uri";
};

/// `combined` (nginx and Apache; more may follow at the end), `json`, or a regular expression with the groups status
/// and, where the log has them, request_time, request (GET /path HTTP/1.1), method and path.
class AccessFormat {
 public:
  static Result<AccessFormat> parse(const std::string& text);
  /// For `json`; says which one is no path.
  Result<bool> set_fields(const AccessFields& fields);

  const std::string& text() const { return text_; }
  /// Nothing where the line is none of the format.
  std::optional<AccessLine> read(std::string_view line) const;

 private:
  struct Groups {
    int status = 0, request_time = 0, request = 0, method = 0, path = 0;  // 0: it has none
  };
  std::optional<AccessLine> read_combined(std::string_view line) const;
  std::optional<AccessLine> read_json(std::string_view line) const;
  std::optional<AccessLine> read_pattern(std::string_view line) const;

  std::string text_;
  std::vector<JsonPath> fields_;  // status, request_time, method, path
  std::shared_ptr<const re2::RE2> pattern_;
  Groups groups_;
};

/// AccessFormat as a kind of value.
struct AccessFormatText {
  using value_type = AccessFormat;
  std::string type_name() const { return "combined, json or a regular expression with named groups"; }
  std::string schema() const { return config::Text{}.schema(); }
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const { return *AccessFormat::parse("combined"); }
  std::string show(const value_type& value) const { return value.text(); }
};

}  // namespace vitald::probes
