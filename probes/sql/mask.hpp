// The text of somebody else's statement, fit to be shown: without the values that stand in it, without comments, on one
// line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vitald::probes::sql {

/// Where the dialects differ in what is a value: in MySQL "…" is one and a backslash escapes, in PostgreSQL "…" is a
/// name and $tag$…$tag$ is a value.
enum class Dialect { mysql, postgres };

/// Every string, number and blob of `statement` as `?`. Where it cannot be told for sure how a string ends, nothing is
/// shown from there on. The answer is bounded by `most` bytes and valid UTF-8.
std::string mask_literals(std::string_view statement, Dialect dialect, std::size_t most = 300);

}  // namespace vitald::probes::sql
