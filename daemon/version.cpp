#include "daemon/version.hpp"

namespace vitald::daemon {

std::string_view version() { return VITALD_VERSION; }

}  // namespace vitald::daemon
