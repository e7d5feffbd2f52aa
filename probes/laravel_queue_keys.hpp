// What Laravel keeps of its queues in Redis, for the probes laravel-queue and horizon (Illuminate\Queue\RedisQueue).
// Of a queue NAME, with the connection's prefix P:
//
//   Pqueues:NAME            list, the jobs that a worker can take: pushed at the tail, taken from the head
//   Pqueues:NAME:delayed    sorted set by the time from which a job can be taken; a worker that looks for work moves it
//   Pqueues:NAME:reserved   sorted set by the time at which a job that a worker took counts as lost
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/kinds.hpp"
#include "probes/redis_client.hpp"

namespace vitald::probes::laravel_queue {

inline constexpr std::size_t most_queues = 20;

/// A queue's name: it becomes part of keys, of SQL and of labels.
struct QueueName {
  using value_type = std::string;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;
  std::string show(const value_type& value) const;
};

/// One to twenty names, none of them twice; whatever is wrong is a problem of `key`.
void check_queues(config::Reader& in, std::string_view key, const std::vector<std::string>& queues);

/// `cluster`: "queues:{NAME}", as newer frameworks call it on a cluster, so that the three keys share a slot.
std::string queue_key(const std::string& prefix, const std::string& name, bool cluster);

/// The commands LLEN, ZCARD, ZCARD of one queue, whose replies read_lengths() takes.
void append_length_commands(std::vector<redis::Command>& commands, const std::string& key);
struct Lengths {
  std::int64_t pending = 0, delayed = 0, reserved = 0;
};
Lengths read_lengths(const std::vector<wire::RespReply>& replies, std::size_t at, const std::string& key);

/// Throws the ProbeFailure that an error reply to `doing` ("LLEN queues:default") stands for, with "not_a_queue" for a
/// key of another type.
void check_reply(const wire::RespReply& reply, const std::string& doing);
/// The integer of a checked reply; "bad_reply" where it is none.
std::int64_t read_count(const wire::RespReply& reply, const std::string& doing);
/// The items of one that has to be an array.
const std::vector<wire::RespReply>& read_items(const wire::RespReply& reply, const std::string& doing);
/// The server's clock out of a reply to TIME, in seconds of the epoch.
double read_time(const wire::RespReply& reply);

/// The same text for the same one, in the next process too; short, for the memory.
std::string hashed(std::string_view text);

/// What a job's payload tells.
struct Payload {
  std::string identity;                 // the job, through all of its attempts; hashed
  std::string attempt;                  // this attempt of it
  std::optional<double> created = {};   // seconds of the epoch, where this framework or Horizon notes it
  std::optional<double> takeable = {};  // since when a worker could take it, where that follows from the payload alone
  std::string name = {};                // the job's class
};

/// Over 64 KiB only hashed: such a text must not be searched on the loop.
Payload read_payload(std::string_view text);

}  // namespace vitald::probes::laravel_queue
