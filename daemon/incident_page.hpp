// One incident as a page: what is known of it, what happened when, and its proof. Pure.
#pragma once

#include <string>

#include "alerting/story.hpp"
#include "daemon/operations.hpp"

namespace vitald::daemon {

std::string incident_page(const alerting::Story& story, const DaemonView& view);

}  // namespace vitald::daemon
