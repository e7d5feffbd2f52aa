// What a laravel-queue check remembers from run to run. All times are the server's, in seconds of the epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitald::probes::laravel_queue {

struct QueueMemory {
  std::string name;
  std::int64_t pending = 0;
  std::int64_t total = 0;              // pending, delayed and reserved
  std::string head = {};               // QueueFacts::head
  double head_since = 0;               // when this head was first seen
  double still_since = 0;              // when anything was last seen to move
  std::string newest = {};             // QueueFacts::newest
  std::optional<double> arrived = {};  // when the last job came
  std::optional<double> empty = {};    // when nothing waited, last
};

struct Memory {
  double at = 0;                            // of the last run
  bool seen = false;                        // whether there ever was a job
  std::optional<std::int64_t> failed = {};  // FailedFacts::newest
  std::vector<QueueMemory> queues = {};

  const QueueMemory* find(std::string_view name) const;
};

/// `of`: what was looked at. Nothing for an empty text, one of something else or of another version.
std::optional<Memory> parse_memory(std::string_view text, std::string_view of);
std::string write_memory(const Memory& memory, std::string_view of);

}  // namespace vitald::probes::laravel_queue
