// CheckState as JSON and back.
#include <algorithm>

#include "alerting/flap_record.hpp"
#include "alerting/json_fields.hpp"
#include "alerting/limit_words.hpp"
#include "alerting/limits_record.hpp"
#include "alerting/records.hpp"

namespace vitald::alerting {
namespace {

constexpr std::size_t record_max = 64 * 1024;

Json confirm_json(const Confirming& confirm, const Ages& ages) {
  Json json = {{"level", to_string(confirm.level)}, {"opened", to_json_value(confirm.opened)}};
  if (!confirm.undecided()) return json;
  json["bad"] = confirm.bad;
  json["critical"] = confirm.critical;
  json["good"] = confirm.good;
  json["lower"] = confirm.lower;
  json["due"] = ages.age(confirm.due);
  json["first"] = ages.age(confirm.first);
  json["last"] = ages.age(confirm.last);
  return json;
}

Confirming confirm_from(const Json& json, const Ages& ages) {
  Confirming confirm;
  const auto count = [&](const char* key) {
    return static_cast<int>(std::clamp<std::int64_t>(integer_of(json, key), 0, 1000));
  };
  confirm.level = status_of(json, "level", Status::ok);
  if (confirm.level == Status::unknown) confirm.level = Status::ok;
  confirm.opened = wall_of(json, "opened");
  confirm.bad = count("bad");
  confirm.critical = count("critical");
  confirm.good = count("good");
  confirm.lower = count("lower");
  confirm.due = ages.with_downtime(integer_of(json, "due"));
  confirm.first = ages.with_downtime(integer_of(json, "first"));
  confirm.last = ages.with_downtime(integer_of(json, "last"));
  return confirm;
}

/// Opaque bytes as text that JSON can hold: as they are where they are plain ASCII, else two hexadecimal digits each.
Json memory_json(const std::string& memory) {
  const bool plain = std::all_of(memory.begin(), memory.end(), [](char byte) { return byte >= 0x09 && byte < 0x7F; });
  if (plain) return memory;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * memory.size());
  for (const char byte : memory) {
    hex += digits[static_cast<unsigned char>(byte) >> 4];
    hex += digits[static_cast<unsigned char>(byte) & 15];
  }
  return {{"hex", hex}};
}

std::string memory_from(const Json& record) {
  const Json* memory = member(record, "memory");
  if (memory == nullptr || !memory->is_object()) return text_of(record, "memory");
  const std::string hex = text_of(*memory, "hex");
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes += static_cast<char>((digit(hex[at]) * 16 + digit(hex[at + 1])) & 0xFF);
  }
  return bytes;
}

Json network_json(const Network& network, const Ages& ages) {
  Json json = Json::object();
  if (network.silent) json["silent"] = true;
  if (network.held) json["held"] = true;
  if (network.denied) json["denied"] = true;
  if (network.cut) json["cut"] = ages.age(*network.cut);
  if (network.answered) json["answered"] = ages.age(*network.answered);
  if (network.back) json["back"] = ages.age(*network.back);
  return json;
}

Network network_from(const Json& json, const Ages& ages) {
  Network network;
  network.silent = flag_of(json, "silent");
  network.held = flag_of(json, "held");
  network.denied = flag_of(json, "denied");
  if (member(json, "cut") != nullptr) network.cut = ages.with_downtime(integer_of(json, "cut"));
  if (member(json, "answered") != nullptr) network.answered = ages.with_downtime(integer_of(json, "answered"));
  if (member(json, "back") != nullptr) network.back = ages.with_downtime(integer_of(json, "back"));
  return network;
}

}  // namespace

std::string to_state(const CheckState& check, const Now& now) {
  const Ages ages(now);
  Json json = {
      {"at", to_json_value(now.wall)}, {"settled", to_string(check.settled)}, {"since", to_json_value(check.since)}};
  if (check.observed) json["verdict"] = to_string(check.verdict);
  if (check.confirm.level != Status::ok || check.confirm.undecided())
    json["confirm"] = confirm_json(check.confirm, ages);
  if (check.verdict != Status::ok || check.settled != Status::ok) json["why"] = check.why;
  if (check.settled != Status::ok && !check.reason.empty()) json["reason"] = bounded(check.reason, 200);
  if (check.unmeasured.active) {
    json["unknown"] = {{"reason", check.unmeasured.reason},
                       {"since", ages.age(check.unmeasured.since)},
                       {"opened", to_json_value(check.unmeasured.opened)}};
  }
  if (Json flapping = flapping_json(check.flapping, ages); !flapping.empty()) json["flap"] = std::move(flapping);
  if (Json network = network_json(check.network, ages); !network.empty()) json["network"] = std::move(network);
  if (!check.placing.cause.empty()) json["cause"] = check.placing.cause;
  if (check.placing.until) json["waits"] = ages.age(*check.placing.until);
  if (check.placing.second_look) json["second_look"] = true;
  if (!check.limits.event_why.empty()) json["event"] = check.limits.event_why;
  std::size_t bytes = 1500 + check.why.size() * 2;
  if (!check.probe_memory.empty()) {
    bytes += check.probe_memory.size() * 5 / 4;
    json["memory"] = memory_json(check.probe_memory);
  }
  if (std::string reasons = check.trace.to_text(); !reasons.empty() && bytes + reasons.size() * 5 / 4 < record_max) {
    bytes += reasons.size() * 5 / 4;
    json["reasons"] = std::move(reasons);
  }
  add_rows(json, check.limits, ages, record_max - std::min(bytes, record_max));
  return dump(json);
}

std::optional<CheckState> check_from_record(const CheckRecord& record, const Now& now) {
  const Json json = parse_object(record.state);
  if (json.is_discarded()) return std::nullopt;
  const Ages ages(now, wall_of(json, "at"));
  CheckState check;
  check.name = record.name;
  check.observed = member(json, "verdict") != nullptr;
  check.verdict = status_of(json, "verdict", Status::unknown);
  check.settled = status_of(json, "settled", Status::ok);
  check.since = wall_of(json, "since");
  check.why = text_of(json, "why");
  check.reason = text_of(json, "reason");
  check.limits.event_why = text_of(json, "event");
  check.placing.cause = text_of(json, "cause");
  if (member(json, "waits") != nullptr) check.placing.until = ages.with_downtime(integer_of(json, "waits"));
  check.placing.second_look = member(json, "second_look") != nullptr;
  check.trace.read(text_of(json, "reasons"));
  check.probe_memory = memory_from(json);
  if (const Json* confirm = member(json, "confirm"); confirm != nullptr && confirm->is_object()) {
    check.confirm = confirm_from(*confirm, ages);
  }
  if (const Json* flapping = member(json, "flap"); flapping != nullptr && flapping->is_object()) {
    check.flapping = flapping_from(*flapping, ages);
  }
  if (const Json* network = member(json, "network"); network != nullptr && network->is_object()) {
    check.network = network_from(*network, ages);
  }
  if (const Json* unknown = member(json, "unknown"); unknown != nullptr && unknown->is_object()) {
    check.unmeasured.active = true;
    check.unmeasured.since = ages.without_downtime(integer_of(*unknown, "since"));
    check.unmeasured.opened = wall_of(*unknown, "opened");
    check.unmeasured.reason = text_of(*unknown, "reason");
  }
  read_rows(json, ages, check.limits);
  return check;
}

}  // namespace vitald::alerting
