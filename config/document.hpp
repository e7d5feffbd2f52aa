// From files to one Node tree: regular files only, sizes and depths bounded, duplicate keys refused, includes followed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"

namespace vitald::config {

struct Bounds {
  std::size_t file_bytes = 8u << 20;
  std::size_t all_bytes = 64u << 20;
  int nesting = 32;
  int include_depth = 8;
  std::size_t files = 1000;
  std::size_t nodes = 2'000'000;  // an alias that is expanded counts each time
};

/// Parses one text. `name` is what positions show. Never throws; problems say what is wrong.
Node parse_text(std::string_view text, std::string name, Problems& problems, const Bounds& bounds = {});

/// Reads `path` and all that it includes (`include: conf.d/*.yaml`, relative to the file that says so, in name order),
/// merged: mappings of the same top-level name are joined, lists appended, the same member twice is an error that names
/// both places. A file that changes while it is read is read again. Blocking.
Node load_document(const std::filesystem::path& path, Problems& problems, const Bounds& bounds = {});

/// Expands members of `checks` that carry `for_each`: `"svc-{name}"` and every text below it, once for each row.
/// `{{` is a literal brace. Unknown placeholders and names that come out twice are problems.
void expand_for_each(Node& checks, Problems& problems);

}  // namespace vitald::config
