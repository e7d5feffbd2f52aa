// Names in a sentence.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vitald::alerting {

/// "mysql, redis and 3 more": the first `most` of them.
std::string name_list(const std::vector<std::string>& names, std::size_t most);

}  // namespace vitald::alerting
