// One step of the engine while it is being taken: what time it is, which rules hold, where the effects go.
#pragma once

#include "alerting/effects.hpp"
#include "alerting/rules.hpp"
#include "config/now.hpp"

namespace vitald::alerting {

struct Turn {
  const Now& now;
  const Rules& rules;
  Effects& effects;
};

}  // namespace vitald::alerting
