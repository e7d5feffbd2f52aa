#include "alerting/limits_record.hpp"

#include <algorithm>

#include "alerting/flap_record.hpp"

namespace vitald::alerting {
namespace {

Json labels_json(const Labels& labels) {
  Json json = Json::array();
  for (const auto& [name, value] : labels) json.push_back(Json::array({name, value}));
  return json;
}

Labels labels_from(const Json& row) {
  Labels read;
  const Json* labels = member(row, "labels");
  if (labels == nullptr || !labels->is_array()) return read;
  for (const Json& label : *labels) {
    if (!label.is_array() || label.size() != 2 || !label[0].is_string() || !label[1].is_string()) continue;
    read.emplace_back(label[0].get<std::string>(), label[1].get<std::string>());
  }
  return read;
}

Json level_json(const LevelMemory& level, const Ages& ages) {
  Json json = Json::object();
  if (level.since) json["since"] = ages.age(*level.since);
  if (level.runs.any()) json["runs"] = level.runs.to_string().substr(level.runs.to_string().find('1'));
  if (level.until != Steady{}) json["until"] = ages.age(level.until);
  if (level.window.buckets.empty()) return json;
  json["span"] = level.window.span.count();
  json["buckets"] = buckets_json(level.window, ages);
  return json;
}

LevelMemory level_from(const Json& row, const char* key, const Ages& ages) {
  LevelMemory level;
  const Json* json = member(row, key);
  if (json == nullptr || !json->is_object()) return level;
  if (member(*json, "since") != nullptr) level.since = ages.without_downtime(integer_of(*json, "since"));
  const std::string runs = text_of(*json, "runs");  // "101": newest last
  for (std::size_t back = 0; back < std::min(runs.size(), level.runs.size()); ++back) {
    level.runs.set(back, runs[runs.size() - 1 - back] == '1');
  }
  if (member(*json, "until") != nullptr) level.until = ages.with_downtime(integer_of(*json, "until"));
  level.window.span = Duration(integer_of(*json, "span"));
  level.window.buckets = buckets_from(*json, "buckets", ages);
  return level;
}

Json row_json(const Row& row, const Ages& ages) {
  Json json = {{"sample", row.sample}, {"known", ages.age(row.known_since)}};
  if (!row.labels.empty()) json["labels"] = labels_json(row.labels);
  if (row.raw != Status::ok) json["raw"] = to_string(row.raw);
  if (row.last) json["last"] = *row.last;
  if (Json warning = level_json(row.warning, ages); !warning.empty()) json["warning"] = std::move(warning);
  if (Json critical = level_json(row.critical, ages); !critical.empty()) json["critical"] = std::move(critical);
  return json;
}

Row row_from(const Json& json, const Ages& ages) {
  Row row;
  row.sample = text_of(json, "sample");
  row.known_since = ages.with_downtime(integer_of(json, "known"));
  row.raw = status_of(json, "raw", Status::ok);
  if (member(json, "last") != nullptr) row.last = number_of(json, "last");
  row.warning = level_from(json, "warning", ages);
  row.critical = level_from(json, "critical", ages);
  row.labels = labels_from(json);
  return row;
}

Json derived_json(const DerivedRow& row, const Ages& ages) {
  Json json = {{"sample", row.sample}, {"used", ages.age(row.used)}};
  if (!row.labels.empty()) json["labels"] = labels_json(row.labels);
  if (row.last) json["last"] = *row.last;
  if (row.last_whole) json["last_whole"] = *row.last_whole;
  if (!row.whole.buckets.empty()) {
    json["span"] = row.whole.span.count();
    json["part"] = buckets_json(row.part, ages);
    json["whole"] = buckets_json(row.whole, ages);
  }
  for (const auto& [at, value] : row.points) json["points"].push_back(Json::array({ages.age(at), value}));
  return json;
}

DerivedRow derived_from(const Json& json, const Ages& ages) {
  DerivedRow row{.sample = text_of(json, "sample"), .labels = labels_from(json)};
  row.used = ages.with_downtime(integer_of(json, "used"));
  if (member(json, "last") != nullptr) row.last = number_of(json, "last");
  if (member(json, "last_whole") != nullptr) row.last_whole = number_of(json, "last_whole");
  row.part.span = row.whole.span = Duration(integer_of(json, "span"));
  row.part.buckets = buckets_from(json, "part", ages);
  row.whole.buckets = buckets_from(json, "whole", ages);
  const Json* points = member(json, "points");
  if (points == nullptr || !points->is_array()) return row;
  for (const Json& point : *points) {
    if (row.points.size() == DerivedRow::points_max) break;
    if (!point.is_array() || point.size() != 2 || !point[0].is_number_integer() || !point[1].is_number()) continue;
    const DerivedRow::Point read{ages.with_downtime(point[0].get<std::int64_t>()), point[1].get<double>()};
    if (row.points.empty() || row.points.back().at < read.at) row.points.push_back(read);
  }
  return row;
}

std::size_t weight(const Labels& labels) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : labels) bytes += 10 + 2 * (name.size() + value.size());
  return bytes;
}

/// Upper bounds of what a row takes as text, cheap enough to ask for each of 50.
std::size_t weight(const Row& row) {
  return 300 + 2 * row.sample.size() + weight(row.labels) +
         45 * (row.warning.window.buckets.size() + row.critical.window.buckets.size());
}
std::size_t weight(const DerivedRow& row) {
  return 250 + 2 * row.sample.size() + weight(row.labels) +
         45 * (row.part.buckets.size() + row.whole.buckets.size() + row.points.size());
}

}  // namespace

void add_rows(Json& record, const LimitMemory& memory, const Ages& ages, std::size_t most) {
  std::size_t bytes = 0;
  for (const Row& row : memory.rows) {
    bytes += weight(row);
    if (bytes > most) return;
    record["rows"].push_back(row_json(row, ages));
  }
  for (const DerivedRow& row : memory.derived.rows) {
    bytes += weight(row);
    if (bytes > most) return;
    record["derived"].push_back(derived_json(row, ages));
  }
}

void read_rows(const Json& record, const Ages& ages, LimitMemory& memory) {
  const auto each = [&](const char* key, std::size_t most, auto keep) {
    const Json* rows = member(record, key);
    if (rows == nullptr || !rows->is_array()) return;
    for (const Json& row : *rows) {
      if (row.is_object() && most > 0) {
        keep(row);
        --most;
      }
    }
  };
  each("rows", LimitMemory::rows_max, [&](const Json& row) { memory.rows.push_back(row_from(row, ages)); });
  each("derived", DerivedMemory::rows_max,
       [&](const Json& row) { memory.derived.rows.push_back(derived_from(row, ages)); });
}

}  // namespace vitald::alerting
