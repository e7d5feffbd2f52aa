#include "probes/laravel_queue_redis.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "probes/laravel_queue_keys.hpp"
#include "probes/numbers.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::laravel_queue {
namespace {

using Replies = std::vector<wire::RespReply>;

constexpr std::size_t searched_on_the_loop = 64 * 1024;
/// The prefixes of Laravel's own skeletons, and none: where the jobs of an application with a wrong `prefix` may be.
constexpr std::array usual_prefixes{"", "laravel_database_", "laravel-database-"};

std::string key_of(const Config& config, const QueueFacts& queue) {
  return queue_key(config.prefix, queue.name, config.cluster_names);
}

awaitable<void> count(redis::Client& client, ProbeContext& context, const Config& config, Facts& facts) {
  std::vector<redis::Command> commands{{"TIME"}};
  for (const std::string& name : config.queues)
    append_length_commands(commands, queue_key(config.prefix, name, config.cluster_names));
  const Replies replies = co_await client.ask(commands, context.phases);
  facts.now = read_time(replies.at(0));
  for (std::size_t i = 0; i < config.queues.size(); ++i) {
    QueueFacts queue{.name = config.queues[i]};
    const Lengths lengths = read_lengths(replies, 1 + 3 * i, key_of(config, queue));
    queue.pending = lengths.pending;
    queue.delayed = lengths.delayed;
    queue.reserved = lengths.reserved;
    queue.delayed_due = 0;
    facts.queues.push_back(std::move(queue));
  }
}

/// A worker that looks for work moves both kinds back to the list, so what stays is what nobody looks at.
awaitable<void> count_overdue(redis::Client& client, ProbeContext& context, const Config& config, Facts& facts) {
  const std::string now = std::to_string(static_cast<std::int64_t>(facts.now));
  std::vector<redis::Command> commands;
  std::vector<std::int64_t*> places;
  for (QueueFacts& queue : facts.queues) {
    const std::string key = key_of(config, queue);
    if (queue.delayed > 0) {
      commands.push_back({"ZCOUNT", key + ":delayed", "-inf", now});
      places.push_back(&*queue.delayed_due);
    }
    if (queue.reserved > 0) {
      commands.push_back({"ZCOUNT", key + ":reserved", "-inf", now});
      places.push_back(&queue.reserved_expired);
    }
  }
  if (commands.empty()) co_return;
  const Replies replies = co_await client.ask(commands, context.phases);
  for (std::size_t i = 0; i < places.size(); ++i) *places[i] = read_count(replies.at(i), "ZCOUNT " + commands[i].at(1));
}

/// One job to look at.
struct Look {
  std::size_t queue;
  bool head;  // or the newest one
  redis::Command command;
};

std::vector<Look> looks(const Config& config, const Facts& facts) {
  std::vector<Look> all;
  for (std::size_t i = 0; i < facts.queues.size(); ++i) {
    const QueueFacts& queue = facts.queues[i];
    const std::string key = key_of(config, queue);
    if (queue.pending > 0) {
      all.push_back({i, true, {"LINDEX", key, "0"}});
      all.push_back({i, false, {"LINDEX", key, "-1"}});
      continue;
    }
    if (queue.waiting() > 0) {
      all.push_back({i, true, {"ZRANGE", key + ":delayed", "0", "0", "WITHSCORES"}});
    } else if (queue.reserved_expired > 0) {
      all.push_back({i, true, {"ZRANGE", key + ":reserved", "0", "0", "WITHSCORES"}});
    }
    if (queue.reserved > 0) all.push_back({i, false, {"ZRANGE", key + ":reserved", "-1", "-1", "WITHSCORES"}});
  }
  return all;
}

/// What the looks brought: owned by the job that reads it, which may run on a worker.
struct Seen {
  Replies replies;
  std::vector<std::optional<Payload>> payloads = {};
  std::vector<std::optional<double>> scores = {};

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const wire::RespReply& reply : replies) {
      sum += reply.text.size();
      for (const wire::RespReply& item : reply.items) sum += item.text.size();
    }
    return sum;
  }
  void read() {
    for (const wire::RespReply& reply : replies) {
      const bool pair = reply.items.size() == 2;
      const std::string& text = pair ? reply.items[0].text : reply.text;
      payloads.push_back(text.empty() ? std::nullopt : std::optional(read_payload(text)));
      scores.push_back(pair ? to_number(reply.items[1].text) : std::nullopt);
    }
  }
};

void take(QueueFacts& queue, bool head, const std::optional<Payload>& payload, std::optional<double> score) {
  if (!payload) return;  // gone between two questions
  if (head) {
    queue.head = payload->attempt;
    queue.head_at = score ? score : payload->takeable;
  } else {
    queue.newest = payload->identity;
    queue.newest_at = payload->created;
  }
}

/// A payload over the reader's limit ends the conversation, not the check: the counts stand, and of the jobs it is only
/// known that some wait.
void give_up_on_payloads(Facts& facts) {
  facts.payload_too_large = true;
  for (QueueFacts& queue : facts.queues) {
    if (queue.waiting() > 0 || queue.reserved_expired > 0) queue.head = unknown_head;
  }
}

awaitable<void> look(redis::Client& client, ProbeContext& context, const Config& config, Facts& facts) {
  const std::vector<Look> all = looks(config, facts);
  if (all.empty()) co_return;
  std::vector<redis::Command> commands;
  for (const Look& each : all) commands.push_back(each.command);
  const auto seen = std::make_shared<Seen>();
  try {
    seen->replies = co_await client.ask(commands, context.phases);
  } catch (const ProbeFailure& failure) {
    if (failure.reason != "bad_reply") throw;
    give_up_on_payloads(facts);
    co_return;
  }
  for (std::size_t i = 0; i < all.size(); ++i) check_reply(seen->replies.at(i), commands[i][0] + " " + commands[i][1]);
  if (seen->bytes() <= searched_on_the_loop) {
    seen->read();
  } else {
    std::function<void()> job = [seen] { seen->read(); };
    std::string key = config.target();
    co_await context.workers.run(std::move(key), std::move(job));
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    take(facts.queues[all[i].queue], all[i].head, seen->payloads[i], seen->scores[i]);
}

bool nothing_there(const Facts& facts) {
  return std::all_of(facts.queues.begin(), facts.queues.end(),
                     [](const QueueFacts& queue) { return queue.pending + queue.delayed + queue.reserved == 0; });
}

/// An empty queue has no key, so a wrong prefix looks like a quiet application. As long as no job was ever seen, look
/// whether there are jobs under another usual one.
awaitable<void> look_elsewhere(redis::Client& client, ProbeContext& context, const Config& config, Facts& facts) {
  std::vector<redis::Command> commands;
  for (const std::string& name : config.queues) {
    const std::string own = queue_key(config.prefix, name, config.cluster_names);
    commands.push_back({"EXISTS", queue_key(config.prefix, name, !config.cluster_names)});
    for (const char* prefix : usual_prefixes) {
      const std::string other = queue_key(prefix, name, config.cluster_names);
      if (other != own) commands.push_back({"EXISTS", other});
    }
  }
  const Replies replies = co_await client.ask(commands, context.phases);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].integer == 0) continue;  // an error, too: the user may not look there
    facts.found_instead = commands[i][1];
    co_return;
  }
}

}  // namespace

awaitable<void> measure_redis(ProbeContext& context, const Config& config, Facts& facts) {
  auto client = co_await redis::open(context, *config.redis);
  facts.peer = client->peer();
  co_await count(*client, context, config, facts);
  co_await count_overdue(*client, context, config, facts);
  co_await look(*client, context, config, facts);
  if (facts.payload_too_large) co_return;  // the rest of the answer is still under way: nobody can use the connection
  const bool never_seen = !facts.before || !facts.before->seen;
  if (never_seen && nothing_there(facts)) {
    co_await look_elsewhere(*client, context, config, facts);
  }
  redis::done(*config.redis, std::move(client));
}

}  // namespace vitald::probes::laravel_queue
