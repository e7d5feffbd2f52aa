// What a check remembers of its ups and downs, as JSON and back: a part of the check's record.
#pragma once

#include "alerting/flap.hpp"
#include "alerting/json_fields.hpp"

namespace vitald::alerting {

/// An empty object where there is nothing to remember.
Json flapping_json(const Flapping& state, const Ages& ages);
Flapping flapping_from(const Json& json, const Ages& ages);

/// The buckets of a window: [[age, amount], …].
Json buckets_json(const Window& window, const Ages& ages);
std::vector<Window::Bucket> buckets_from(const Json& object, const char* key, const Ages& ages);

}  // namespace vitald::alerting
