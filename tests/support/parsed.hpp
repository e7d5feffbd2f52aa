// A probe's Config out of YAML text, and what was wrong with it.
#pragma once

#include <string>
#include <utility>

#include "config/document.hpp"
#include "config/reader.hpp"

namespace vitald::testing {

template <class Config>
struct Parsed {
  Config config;
  std::string problems;  // one line each; "" when there is none
};

template <class Parse>
auto parse_yaml(Parse parse, const std::string& yaml) {
  config::Problems problems;
  const config::Node node = config::parse_text(yaml, "test.yaml", problems);
  config::Reader reader(node, "check test", problems);
  Parsed<decltype(parse(reader))> parsed{parse(reader), ""};
  reader.finish();
  for (const auto& problem : problems.all()) parsed.problems += problem.text() + "\n";
  return parsed;
}

}  // namespace vitald::testing
