// The laravel-queue probe's questions to Redis.
#pragma once

#include "probes/laravel_queue.hpp"

namespace vitald::probes::laravel_queue {

/// Fills `now`, `queues`, `peer`, `found_instead` and `payload_too_large`; `before` is there already.
awaitable<void> measure_redis(ProbeContext& context, const Config& config, Facts& facts);

}  // namespace vitald::probes::laravel_queue
