#include "probes/pm2_reply.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::pm2 {
namespace {

constexpr std::size_t most_depth = 128;

/// Where the parser is, as far as it matters.
enum class Place { other, document, arguments, processes, process, monitored, environment };

struct Number {
  Place place;
  std::string_view key;
  void (*set)(Process& process, double value);
};
constexpr std::array numbers = {
    Number{Place::process, "pid", [](Process& process, double value) { process.pid = value; }},
    Number{Place::process, "pm_id",
           [](Process& process, double value) { process.id = static_cast<std::int64_t>(value); }},
    Number{Place::monitored, "memory", [](Process& process, double value) { process.memory = value; }},
    Number{Place::monitored, "cpu", [](Process& process, double value) { process.cpu = value / 100; }},
    Number{Place::environment, "restart_time", [](Process& process, double value) { process.restarts = value; }},
    Number{Place::environment, "unstable_restarts",
           [](Process& process, double value) { process.unstable_restarts = value; }},
    Number{Place::environment, "pm_uptime", [](Process& process, double value) { process.started_ms = value; }},
    Number{Place::environment, "exit_code", [](Process& process, double value) { process.exit_code = value; }},
    Number{Place::environment, "max_memory_restart",
           [](Process& process, double value) { process.most_memory = value; }},
};

struct Words {
  Place place;
  std::string_view key;
  std::string Process::*field;
  std::size_t most;
};
constexpr std::array texts = {
    Words{Place::process, "name", &Process::name, 256},
    Words{Place::environment, "status", &Process::status, 32},
    Words{Place::environment, "pm_err_log_path", &Process::error_log, 4096},
};

/// Follows the parser. Values of other keys pass by without a copy of ours.
class Picker {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  std::vector<Process> found;
  std::string problem, error;
  bool answered = false;  // a list of processes was there

  bool null() {
    if (at(Place::environment, "created_at")) found.back().gave_up = true;
    return true;
  }
  bool boolean(bool value) {
    if (at(Place::environment, "autorestart")) found.back().autorestart = value;
    if (at(Place::environment, "pmx_module")) found.back().module = value;
    return true;
  }
  bool number_integer(number_integer_t value) { return number(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) { return number(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) { return number(value); }
  bool string(const string_t& value) {
    for (const Words& row : texts)
      if (at(row.place, row.key)) found.back().*row.field = value.substr(0, row.most);
    if (at(Place::environment, "cron_restart")) found.back().scheduled = !value.empty();
    if (at(Place::document, "error")) error = foreign_text(value, 200);
    return true;
  }
  bool binary(const binary_t&) { return false; }
  bool start_object(std::size_t) {
    Place inside = Place::other;
    if (path_.empty()) inside = Place::document;
    if (here() == Place::processes) {
      if (found.size() == most_processes) return fail("more than " + std::to_string(most_processes) + " processes");
      found.emplace_back();
      inside = Place::process;
    }
    if (at(Place::process, "monit")) inside = Place::monitored;
    if (at(Place::process, "pm2_env")) inside = Place::environment;
    return enter(inside);
  }
  bool start_array(std::size_t) {
    Place inside = Place::other;
    if (at(Place::document, "args")) inside = Place::arguments;
    if (here() == Place::arguments && !answered) inside = Place::processes;
    answered = answered || inside == Place::processes;
    return enter(inside);
  }
  bool end_object() { return leave(); }
  bool end_array() { return leave(); }
  bool key(const string_t& name) {
    key_ = name.substr(0, 64);
    return true;
  }
  /// What the parser would say of it repeats the text: it is not kept.
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    return fail("no valid JSON at byte " + std::to_string(position));
  }

 private:
  Place here() const { return path_.empty() ? Place::other : path_.back(); }
  bool at(Place place, std::string_view key) const { return here() == place && key_ == key; }
  bool fail(std::string what) {
    if (problem.empty()) problem = std::move(what);
    return false;
  }
  bool enter(Place inside) {
    if (path_.size() == most_depth) return fail("nested more than " + std::to_string(most_depth) + " deep");
    path_.push_back(inside);
    key_.clear();
    return true;
  }
  bool leave() {
    path_.pop_back();
    key_.clear();
    return true;
  }
  bool number(double value) {
    for (const Number& row : numbers)
      if (at(row.place, row.key)) row.set(found.back(), std::clamp(value, -1e15, 1e15));
    return true;
  }

  std::vector<Place> path_;
  std::string key_;
};

}  // namespace

Wall Process::started() const { return Wall{} + length_of(started_ms / 1000); }

Result<std::vector<Process>> read_reply(std::string_view json) {
  Picker picker;
  const bool whole = nlohmann::json::sax_parse(json, &picker);
  if (!picker.error.empty()) return Failure{"", "pm2 answered '" + picker.error + "'"};
  if (!whole) return Failure{"", picker.problem};
  if (!picker.answered) return Failure{"", "no list of processes"};
  return std::move(picker.found);
}

}  // namespace vitald::probes::pm2
