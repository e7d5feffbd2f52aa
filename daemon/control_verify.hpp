// `verify`: every check once, a few at a time, each told as it finishes, then the sum.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>

#include "daemon/control_commands.hpp"

namespace vitald::daemon {

boost::asio::awaitable<void> verify_checks(Operations& operations, ControlLines& lines, std::size_t width);

}  // namespace vitald::daemon
