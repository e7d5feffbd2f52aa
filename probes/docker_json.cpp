#include "probes/docker_json.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>

#include "probes/foreign_text.hpp"
#include "probes/json_values.hpp"

namespace vitald::probes::docker {
namespace {

constexpr int most_depth = 32;
constexpr std::size_t most_text = 1024;
constexpr std::size_t most_health_checks = 5;  // Docker keeps five
constexpr double nanoseconds = 1e9;

using Kind = JsonValue::Kind;

/// Takes what is wanted of a list of containers, which may be long, as it passes.
class ListReading {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool null() { return depth_ > 0; }
  bool boolean(bool) { return depth_ > 0; }
  bool number_integer(number_integer_t) { return depth_ > 0; }
  bool number_unsigned(number_unsigned_t) { return depth_ > 0; }
  bool number_float(number_float_t, const string_t&) { return depth_ > 0; }
  bool string(const string_t& value) {
    if (depth_ == entry_depth && key_ == "Id") entry_.id = value.substr(0, most_text);
    if (depth_ == entry_depth + 1 && object_ == "Labels") label(value.substr(0, most_text));
    return depth_ > 0;
  }
  bool binary(const binary_t&) { return false; }
  bool start_object(std::size_t) {
    if (depth_ == 0) return false;  // an error's answer is an object
    return enter();
  }
  bool start_array(std::size_t) { return enter(); }
  bool end_object() {
    if (depth_ == entry_depth) entry_done();
    return leave();
  }
  bool end_array() { return leave(); }
  bool key(const string_t& name) {
    key_ = name.substr(0, most_text);
    if (depth_ == entry_depth) object_ = key_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) { return false; }

  ContainerList list = {};

 private:
  static constexpr int entry_depth = 2;  // [ {

  bool enter() { return ++depth_ <= most_depth; }
  bool leave() {
    --depth_;
    return true;
  }
  void label(std::string value) {
    if (key_ == "com.docker.compose.service") entry_.service = std::move(value);
    if (key_ == "com.docker.compose.container-number") entry_.number = std::move(value);
    if (key_ == "com.docker.compose.depends_on") entry_.depends_on = std::move(value);
    if (key_ == "com.docker.compose.oneoff") entry_.one_off = value == "True" || value == "true";
  }
  void entry_done() {
    list.all += 1;
    if (!entry_.id.empty() && list.containers.size() < most_containers) list.containers.push_back(entry_);
    entry_ = {};
  }

  int depth_ = 0;
  std::string key_, object_;
  Listed entry_;
};

std::vector<JsonPath> container_paths() {
  std::vector<JsonPath> paths = {json_path({"Id"}),
                                 json_path({"Name"}),
                                 json_path({"State", "Status"}),
                                 json_path({"State", "Error"}),
                                 json_path({"State", "OOMKilled"}),
                                 json_path({"State", "ExitCode"}),
                                 json_path({"State", "StartedAt"}),
                                 json_path({"State", "FinishedAt"}),
                                 json_path({"RestartCount"}),
                                 json_path({"State", "Health", "Status"}),
                                 json_path({"State", "Health", "FailingStreak"}),
                                 json_path({"Config", "Image"}),
                                 json_path({"Image"}),
                                 json_path({"HostConfig", "RestartPolicy", "Name"}),
                                 json_path({"Config", "Tty"}),
                                 json_path({"HostConfig", "Memory"}),
                                 json_path({"HostConfig", "NanoCpus"}),
                                 json_path({"HostConfig", "CpuQuota"}),
                                 json_path({"HostConfig", "CpuPeriod"})};
  for (std::size_t i = 0; i < most_health_checks; ++i) {
    paths.push_back(json_path({"State", "Health", "Log", i, "ExitCode"}));
    paths.push_back(json_path({"State", "Health", "Log", i, "Output"}));
  }
  return paths;
}

/// --cpus, or --cpu-quota for each --cpu-period.
double read_cpu_limit(JsonValues& values) {
  const double cpus = values.number().value_or(0) / nanoseconds;
  const double quota = values.number().value_or(0);
  const double period = values.number().value_or(0);
  if (cpus > 0) return cpus;
  constexpr double usual_period = 100'000;
  return quota / (period > 0 ? period : usual_period);
}

/// The front of `text` as a number of exactly so many digits, taken off.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t digits) {
  unsigned value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc{} || stop != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

/// "Z", "+01:00", "-03:30": what to take off to get UTC.
std::optional<Duration> take_offset(std::string_view& text) {
  if (take(text, 'Z')) return Duration::zero();
  const bool behind = text.starts_with('-');
  if (!take(text, behind ? '-' : '+')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes) return std::nullopt;
  const Duration offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return behind ? -offset : offset;
}

}  // namespace

Result<ContainerList> read_list(std::string_view json) {
  ListReading reading;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &reading)) return Failure{"", "no list of containers"};
  return std::move(reading.list);
}

Result<Container> read_container(std::string_view json) {
  JsonValues values(json, container_paths());
  if (!values.error().empty()) return Failure{"", values.error()};
  Container seen;
  seen.id = values.text();
  seen.name = values.text();
  if (seen.name.starts_with('/')) seen.name.erase(0, 1);
  seen.state = values.text();
  seen.error = values.text();
  seen.out_of_memory = values.truth();
  seen.exit_code = values.code();
  seen.started = read_time(values.text());
  seen.finished = read_time(values.text());
  seen.restarts = values.number().value_or(0);
  seen.health = values.text();
  if (seen.health == "none") seen.health.clear();
  seen.failed_in_a_row = values.number().value_or(0);
  seen.image = values.text();
  seen.image_id = values.text();
  seen.restart_policy = values.text();
  seen.terminal = values.truth();
  seen.memory_limit = values.number().value_or(0);
  seen.cpu_limit = read_cpu_limit(values);
  for (std::size_t i = 0; i < most_health_checks; ++i) {
    const int code = values.code();
    const JsonValue& output = values.next();
    if (output.kind != Kind::text) continue;
    seen.health_exit_code = code;
    seen.health_output = output.text;
  }
  if (seen.id.empty() || seen.state.empty()) return Failure{"", "no container"};
  return seen;
}

Result<Statistics> read_statistics(std::string_view json) {
  JsonValues values(json, {json_path({"memory_stats", "usage"}), json_path({"memory_stats", "stats", "inactive_file"}),
                           json_path({"memory_stats", "stats", "total_inactive_file"}),
                           json_path({"cpu_stats", "cpu_usage", "total_usage"}), json_path({"pids_stats", "current"})});
  if (!values.error().empty()) return Failure{"", values.error()};
  Statistics seen;
  const auto usage = values.number();
  const auto inactive = values.number();        // control groups v2
  const auto total_inactive = values.number();  // and v1, whose own inactive_file leaves the children out
  const double cache = total_inactive.value_or(inactive.value_or(0));
  if (usage && *usage > 0) seen.memory = *usage - std::min(*usage, cache);
  const auto cpu = values.number();
  if (cpu && *cpu > 0) seen.cpu_seconds = *cpu / nanoseconds;
  const auto processes = values.number();
  if (processes && *processes > 0) seen.processes = processes;
  return seen;
}

std::string read_message(std::string_view json) {
  JsonValues values(json, {json_path({"message"})});
  return values.error().empty() ? values.text() : "";
}

std::optional<Wall> read_time(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || *year < 1970 || *year > 2200 || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, 'T')) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day));
  const auto hours = take_digits(text, 2);
  if (!date.ok() || !hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || !take(text, ':')) return std::nullopt;
  const auto seconds = take_digits(text, 2);
  if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
  Duration fraction{};
  if (take(text, '.')) {
    Duration digit = std::chrono::milliseconds(100);
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), digit /= 10)
      fraction += digit * (text.front() - '0');
  }
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return Wall(std::chrono::sys_days(date)) + std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
         std::chrono::seconds(*seconds) + fraction - *offset;
}

}  // namespace vitald::probes::docker
