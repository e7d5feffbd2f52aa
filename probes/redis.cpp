#include "probes/redis.hpp"

#include <algorithm>

#include "probes/foreign_text.hpp"

namespace vitald::probes::redis {
namespace {

using wire::RespReply;

constexpr std::size_t most_keys = 50;

struct Length {
  std::string_view type;  // as TYPE says it
  const char* command;
};
constexpr std::array lengths = {Length{"list", "LLEN"}, Length{"zset", "ZCARD"}, Length{"stream", "XLEN"},
                                Length{"set", "SCARD"}, Length{"hash", "HLEN"},  Length{"string", "STRLEN"}};

/// nullptr for a type without a length (those of modules).
const Length* length_of(std::string_view type) {
  const auto found = std::find_if(lengths.begin(), lengths.end(), [&](const Length& row) { return row.type == type; });
  return found == lengths.end() ? nullptr : found;
}

void read_keys(config::Reader& in, std::vector<Key>& keys) {
  in.objects("keys", "Keys whose length to measure, at most 50", [&](config::Reader& nested) {
    Key key;
    key.name = nested.required("key", config::Text{.longest = 512}, "Name of the key, with any prefix");
    key.type = nested
                   .maybe("type", config::OneOf{{"list", "zset", "stream", "set", "hash", "string"}},
                          "What it holds; Redis is asked where this is absent, which takes a round trip more")
                   .value_or("");
    const auto twin = std::find_if(keys.begin(), keys.end(), [&](const Key& other) { return other.name == key.name; });
    if (twin != keys.end()) nested.problem("key", "'" + key.name + "' is in the list already");
    keys.push_back(std::move(key));
  });
  if (keys.size() > most_keys) in.problem("keys", "has more than 50 entries; make a second check of the rest");
}

/// PING, INFO, and for each key its length, or its type where that is not known.
std::vector<Command> first_questions(const Config& config) {
  std::vector<Command> commands;
  commands.reserve(config.keys.size() + 2);
  commands.push_back({"PING"});
  commands.push_back({"INFO"});
  for (const Key& key : config.keys) {
    const Length* length = length_of(key.type);
    commands.push_back({length == nullptr ? "TYPE" : length->command, key.name});
  }
  return commands;
}

std::string say_command(const Command& command) { return command.front() + " " + foreign_text(command.back()); }

void take_length(const Command& command, const RespReply& reply, KeyFacts& key) {
  if (reply.type == RespReply::Type::integer && reply.integer >= 0) {
    key.length = static_cast<double>(reply.integer);
  } else if (reply.is_error()) {
    key.trouble = failure_of(reply, say_command(command));
  } else {
    key.trouble = ProbeFailure(Outcome::wrong, "bad_reply", say_command(command) + ": the answer is no length");
  }
}

/// The question that follows from a key's type; nothing where there is none to ask.
std::optional<Command> take_type(const Command& command, const RespReply& reply, KeyFacts& key) {
  if (reply.is_error()) {
    key.trouble = failure_of(reply, say_command(command));
    return std::nullopt;
  }
  if (reply.text == "none") {  // Redis removes a list with its last entry
    key.length = 0;
    return std::nullopt;
  }
  if (const Length* length = length_of(reply.text)) return Command{length->command, command.back()};
  key.trouble = ProbeFailure(Outcome::unmeasured, "wrong_type",
                             foreign_text(command.back()) + " holds a value of the type '" +
                                 foreign_text(reply.text, 40) + "', which has no length to ask for");
  return std::nullopt;
}

/// Lengths that the first answers hold, and the questions that remain, each with its key's place.
std::vector<std::pair<std::size_t, Command>> take_first(const std::vector<Command>& commands,
                                                        const std::vector<RespReply>& replies, Facts& facts) {
  std::vector<std::pair<std::size_t, Command>> open_questions;
  for (std::size_t i = 2; i < commands.size(); ++i) {
    KeyFacts key;
    if (commands[i].front() != "TYPE") {
      take_length(commands[i], replies[i], key);
    } else if (auto next = take_type(commands[i], replies[i], key)) {
      open_questions.emplace_back(i - 2, std::move(*next));
    }
    facts.keys.push_back(std::move(key));
  }
  return open_questions;
}

void take_info(const RespReply& reply, Facts& facts) {
  if (reply.type == RespReply::Type::bulk) facts.info = Info::parse(reply.text);
  if (reply.is_error()) {
    facts.no_info = failure_of(reply, "INFO");
  } else if (facts.info.text("redis_version").empty()) {
    facts.no_info = ProbeFailure(Outcome::wrong, "bad_reply", "INFO: the answer is not one that Redis gives");
  }
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.connection = read_connection(in);
  const auto role = in.optional("role", config::OneOf{{"any", "primary", "replica"}}, "any",
                                "What this Redis must be; another role is a fault");
  config.role = role == "primary" ? Role::primary : role == "replica" ? Role::replica : Role::any;
  read_keys(in, config.keys);
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.memory = std::string(context.memory);
  facts.now = context.started.wall;
  const auto first = first_questions(config);
  std::vector<RespReply> replies;
  auto client = co_await open_asking(context, config.connection, first, replies);
  facts.peer = client->peer();
  take_info(replies[1], facts);
  const RespReply& ping = replies.front();
  if (ping.is_error() && ping.error_word() != "NOPERM") {
    facts.ping = failure_of(ping, "PING");
    co_return facts;  // the connection is closed: whatever this is, the next run begins anew
  }
  const auto rest = take_first(first, replies, facts);
  std::vector<Command> second;
  for (const auto& [place, command] : rest) second.push_back(command);
  if (!second.empty()) {
    const auto more = co_await client->ask(second, context.phases);
    for (std::size_t i = 0; i < rest.size(); ++i) take_length(second[i], more[i], facts.keys[rest[i].first]);
  }
  done(config.connection, std::move(client));
  co_return facts;
}

}  // namespace vitald::probes::redis
