// The house rules that a machine can check. Each takes one file and gives a sentence for each place that breaks it,
// "daemon/pipeline.cpp:12: …".
#pragma once

#include <string>
#include <vector>

#include "tests/tidy/source.hpp"

namespace vitald::tidy {

using Findings = std::vector<std::string>;

/// config <- probes, alerting <- daemon; alerting and config without Asio and SQLite; one place for yaml-cpp and Beast.
Findings include_rule(const Source& source);
/// Lines of at most 120 columns, files of at most 500 lines.
Findings size_rule(const Source& source);
/// At most 5 % of the files above 300 lines.
Findings overall_size_rule(const std::vector<Source>& sources);
/// Functions of at most 70 lines.
Findings function_rule(const Source& source);
/// Words that have no place here, or only in named files.
Findings word_rule(const Source& source);
/// One line, one await: the shapes of co_await that GCC 12 compiles wrongly.
Findings await_rule(const Source& source);
/// Owning pointers are made by make_unique and ended by their owners.
Findings ownership_rule(const Source& source);
/// Names of types that say nothing.
Findings name_rule(const Source& source);

std::string finding(const Source& source, int line, const std::string& what);

}  // namespace vitald::tidy
