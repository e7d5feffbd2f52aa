#include "probes/laravel_queue_keys.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "config/fnv1a.hpp"
#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/json_path.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::laravel_queue {
namespace {

constexpr std::size_t longest_name = 100;
constexpr std::size_t most_searched = 64 * 1024;

bool is_name_character(char c) { return c > ' ' && c < 0x7f && c != '\'' && c != '"' && c != '\\' && c != ','; }

std::optional<double> number(const JsonValue& value) {
  if (value.kind == JsonValue::Kind::number) return value.number;
  if (value.kind != JsonValue::Kind::text) return std::nullopt;  // Horizon writes pushedAt as a text
  return to_number(value.text);
}

const std::vector<JsonPath>& payload_paths() {
  static const std::vector<JsonPath> paths = [] {
    std::vector<JsonPath> made;
    for (const char* text : {"$.uuid", "$.id", "$.attempts", "$.createdAt", "$.pushedAt", "$.delay", "$.displayName"})
      made.push_back(*parse_json_path(text));
    return made;
  }();
  return paths;
}

ProbeFailure bad_reply(const std::string& doing) {
  return ProbeFailure(Outcome::wrong, "bad_reply", "answered " + doing + " with something that does not belong there");
}

}  // namespace

std::string QueueName::type_name() const { return "name of a queue"; }
std::string QueueName::schema() const {
  return R"({"type":"string","minLength":1,"maxLength":100,"pattern":"^[^\\s\"',\\\\]+$"})";
}
Result<std::string> QueueName::read(const config::Node& node, config::Problems&) const {
  if (node.kind != config::Node::Kind::scalar) {
    return Failure{"", "expected the name of a queue, found " + std::string(node.kind_name())};
  }
  const std::string& name = node.scalar;
  if (name.find(',') != std::string::npos) {
    return Failure{"", "expected the name of one queue, found '" + foreign_text(name) + "'; write a list of names"};
  }
  if (name.empty() || name.size() > longest_name || !std::all_of(name.begin(), name.end(), is_name_character)) {
    return Failure{"",
                   "expected the name of a queue (at most 100 letters, digits and signs, without blanks, quotes "
                   "and backslashes), found '" +
                       foreign_text(name) + "'"};
  }
  return name;
}
std::string QueueName::dummy() const { return ""; }
std::string QueueName::show(const std::string& value) const { return value; }

void check_queues(config::Reader& in, std::string_view key, const std::vector<std::string>& queues) {
  std::set<std::string_view> seen;
  for (const std::string& each : queues) {
    if (!seen.insert(each).second) in.problem(key, "the queue '" + each + "' is listed twice");
  }
  if (queues.empty() && in.has(key)) in.problem(key, "needs at least one name of a queue");
}

std::string queue_key(const std::string& prefix, const std::string& name, bool cluster) {
  const bool tagged = name.find('{') != std::string::npos;  // the framework leaves a name with a tag of its own alone
  return prefix + "queues:" + (cluster && !tagged ? "{" + name + "}" : name);
}

void append_length_commands(std::vector<redis::Command>& commands, const std::string& key) {
  commands.push_back({"LLEN", key});
  commands.push_back({"ZCARD", key + ":delayed"});
  commands.push_back({"ZCARD", key + ":reserved"});
}

Lengths read_lengths(const std::vector<wire::RespReply>& replies, std::size_t at, const std::string& key) {
  return {.pending = read_count(replies.at(at), "LLEN " + key),
          .delayed = read_count(replies.at(at + 1), "ZCARD " + key + ":delayed"),
          .reserved = read_count(replies.at(at + 2), "ZCARD " + key + ":reserved")};
}

void check_reply(const wire::RespReply& reply, const std::string& doing) {
  if (!reply.is_error()) return;
  if (reply.error_word() != "WRONGTYPE") throw redis::failure_of(reply, doing);
  throw ProbeFailure(Outcome::unmeasured, "not_a_queue",
                     foreign_text(doing, 200) + " is not possible: the key holds another kind of value",
                     "compare 'prefix' and 'queues' with the application's config/database.php and config/queue.php");
}

std::int64_t read_count(const wire::RespReply& reply, const std::string& doing) {
  check_reply(reply, doing);
  if (reply.type != wire::RespReply::Type::integer || reply.integer < 0) throw bad_reply(foreign_text(doing, 200));
  return reply.integer;
}

const std::vector<wire::RespReply>& read_items(const wire::RespReply& reply, const std::string& doing) {
  check_reply(reply, doing);
  if (reply.type != wire::RespReply::Type::array) throw bad_reply(foreign_text(doing, 200));
  return reply.items;
}

double read_time(const wire::RespReply& reply) {
  const auto& items = read_items(reply, "TIME");
  if (items.size() != 2) throw bad_reply("TIME");
  const auto seconds = parse_number(items[0].text);
  const auto micros = parse_number(items[1].text);
  if (!seconds || !micros) throw bad_reply("TIME");
  return *seconds + *micros / 1e6;
}

std::string hashed(std::string_view text) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(fnv1a(text)));
  return digits;
}

Payload read_payload(std::string_view text) {
  Payload payload;
  if (text.size() > most_searched) {
    payload.identity = payload.attempt = hashed(text);
    return payload;
  }
  const auto found = find_in_json(text, payload_paths());
  if (!found.error.empty()) {
    payload.identity = payload.attempt = hashed(text);
    return payload;
  }
  enum { uuid, id, attempts, created, pushed, delay, name };  // as payload_paths() has them
  const auto& values = found.values;
  const JsonValue& known = values[uuid].kind == JsonValue::Kind::text ? values[uuid] : values[id];
  const bool is_known = known.kind == JsonValue::Kind::text && !known.text.empty();
  payload.identity = hashed(is_known ? std::string_view(known.text) : text);
  payload.attempt = hashed(text);
  payload.name = values[name].text;
  payload.created = number(values[values[created].kind == JsonValue::Kind::absent ? pushed : created]);
  // A job that was tried before came back at a time that nobody noted.
  if (payload.created && number(values[attempts]).value_or(0) == 0) {
    payload.takeable = *payload.created + std::max(0.0, number(values[delay]).value_or(0));
  }
  return payload;
}

}  // namespace vitald::probes::laravel_queue
