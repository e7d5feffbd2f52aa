// What this build calls itself: the project's version in CMakeLists.txt.
#pragma once

#include <string_view>

namespace vitald::daemon {

std::string_view version();

}  // namespace vitald::daemon
