#include "alerting/json_fields.hpp"

#include <algorithm>

namespace vitald::alerting {

Json parse_object(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json(Json::value_t::discarded);
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::int64_t integer_of(const Json& object, const char* key, std::int64_t fallback) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : fallback;
}

double number_of(const Json& object, const char* key, double fallback) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_number() ? value->get<double>() : fallback;
}

bool flag_of(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

Wall wall_of(const Json& object, const char* key) { return sane(Wall(Duration(integer_of(object, key)))); }

Wall sane(Wall at) {
  // From 1970 to 2223: differences of such times cannot overflow, whatever a damaged record says.
  constexpr Duration last{8'000'000'000'000'000'000};
  return std::clamp(at, Wall(Duration::zero()), Wall(last));
}

Status status_of(const Json& object, const char* key, Status fallback) {
  const std::string word = text_of(object, key);
  for (const Status status : {Status::ok, Status::warning, Status::critical, Status::unknown}) {
    if (word == to_string(status)) return status;
  }
  return fallback;
}

Json to_json_value(Wall at) { return at.time_since_epoch().count(); }

Ages::Ages(const Now& now, Wall written) : now_(now) {
  const Duration away = now.wall - sane(written);
  if (away > Duration::zero() && away <= std::chrono::days(7)) away_ = away;
}

std::int64_t Ages::bounded(std::int64_t age) {
  // A year either way: a number from a damaged record must not overflow the clock.
  constexpr std::int64_t year = std::chrono::nanoseconds(std::chrono::hours(24 * 366)).count();
  return std::clamp(age, -year, year);
}

}  // namespace vitald::alerting
