// What an http check may expect of an answer, as kinds of value for config::Reader (see config/kinds.hpp).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "probes/json_path.hpp"
#include "probes/options.hpp"

namespace vitald::probes::http {

/// 200, "2xx", or a list of such.
struct StatusSet {
  std::vector<std::pair<int, int>> ranges = {{200, 299}};  // both ends belong to it
  std::string text = "2xx";                                // as one would write it: "200", "200 or 404"

  bool holds(int status) const;
};

struct Statuses {
  using value_type = StatusSet;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;
  std::string show(const value_type& value) const;
};

/// What is expected of one header, or of one place in a JSON body.
struct Expectation {
  enum class Rule { equals, matches, present, absent };
  std::string name;    // of the header, or the path as written
  JsonPath path = {};  // for JSON
  Rule rule = Rule::present;
  JsonValue value = {};                               // for equals; a header compares its text
  std::string text = {};                              // the same as written
  std::shared_ptr<const re2::RE2> pattern = nullptr;  // for matches
};

/// A token of RFC 9110 section 5.6.2.
bool is_header_name(std::string_view name);

/// { NAME: value | { matches: pattern } | { present: true } }; with `json` NAME is a path and an unquoted true, null or
/// 5 is not a text.
struct Expectations {
  using value_type = std::vector<Expectation>;
  bool json = false;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;
  std::string show(const value_type& value) const;
};

/// "json:$.request_id" or "header:X-Request-Id": what goes into the evidence.
struct EvidenceSource {
  std::string header;  // "": it is JSON
  JsonPath path;
};

struct EvidenceName {
  using value_type = EvidenceSource;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;
  std::string show(const value_type& value) const;
};

}  // namespace vitald::probes::http
