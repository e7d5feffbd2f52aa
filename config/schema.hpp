// Options as a JSON Schema (draft 2020-12) for editors, and as the Markdown tables of the documentation.
#pragma once

#include <string>
#include <vector>

#include "config/reader.hpp"

namespace vitald::config {

/// {"type":"object","properties":{…},"required":[…],"additionalProperties":false} for these options, as JSON text.
std::string object_schema(const std::vector<Option>& options);

/// "| option | type | default | meaning |" rows, nested options as `expect.status`.
std::string option_table(const std::vector<Option>& options);

}  // namespace vitald::config
