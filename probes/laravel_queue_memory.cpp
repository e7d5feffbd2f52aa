#include "probes/laravel_queue_memory.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vitald::probes::laravel_queue {
namespace {

using nlohmann::json;

constexpr int version = 1;

template <class T>
std::optional<T> maybe(const json& from, const char* key) {
  const auto found = from.find(key);
  if (found == from.end() || found->is_null()) return std::nullopt;
  return found->get<T>();
}

QueueMemory read_queue(const json& from) {
  return {.name = from.at("name").get<std::string>(),
          .pending = from.at("pending").get<std::int64_t>(),
          .total = from.at("total").get<std::int64_t>(),
          .head = from.at("head").get<std::string>(),
          .head_since = from.at("head_since").get<double>(),
          .still_since = from.at("still_since").get<double>(),
          .newest = from.at("newest").get<std::string>(),
          .arrived = maybe<double>(from, "arrived"),
          .empty = maybe<double>(from, "empty")};
}

json written(const QueueMemory& queue) {
  json made{{"name", queue.name},    {"pending", queue.pending},       {"total", queue.total},
            {"head", queue.head},    {"head_since", queue.head_since}, {"still_since", queue.still_since},
            {"newest", queue.newest}};
  if (queue.arrived) made["arrived"] = *queue.arrived;
  if (queue.empty) made["empty"] = *queue.empty;
  return made;
}

}  // namespace

const QueueMemory* Memory::find(std::string_view name) const {
  const auto found = std::find_if(queues.begin(), queues.end(), [&](const auto& queue) { return queue.name == name; });
  return found == queues.end() ? nullptr : &*found;
}

std::optional<Memory> parse_memory(std::string_view text, std::string_view of) {
  if (text.empty()) return std::nullopt;
  try {
    const json from = json::parse(text);
    if (from.at("v").get<int>() != version || from.at("of").get<std::string>() != of) return std::nullopt;
    Memory memory{.at = from.at("at").get<double>(),
                  .seen = from.at("seen").get<bool>(),
                  .failed = maybe<std::int64_t>(from, "failed")};
    for (const json& queue : from.at("queues")) memory.queues.push_back(read_queue(queue));
    return memory;
  } catch (const json::exception&) {
    return std::nullopt;  // as at the first run
  }
}

std::string write_memory(const Memory& memory, std::string_view of) {
  json made{{"v", version}, {"of", of}, {"at", memory.at}, {"seen", memory.seen}, {"queues", json::array()}};
  if (memory.failed) made["failed"] = *memory.failed;
  for (const QueueMemory& queue : memory.queues) made["queues"].push_back(written(queue));
  return made.dump();
}

}  // namespace vitald::probes::laravel_queue
