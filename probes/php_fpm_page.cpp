#include "probes/php_fpm_page.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace vitald::probes::php_fpm {
namespace {

constexpr std::size_t most_requests = 5;
constexpr std::size_t most_text = 512;
constexpr int most_depth = 8;
constexpr double microseconds = 1e6;

/// One member of the page's own object, or of a worker's.
struct Value {
  double number = 0;
  std::string text = {};
  bool is_number = false;
};

class Reading {
 public:
  explicit Reading(std::string_view own_path) : own_path_(own_path) {}

  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(number_integer_t value) {
    return take({.number = static_cast<double>(value), .is_number = true});
  }
  bool number_unsigned(number_unsigned_t value) {
    return take({.number = static_cast<double>(value), .is_number = true});
  }
  bool number_float(number_float_t value, const string_t&) { return take({.number = value, .is_number = true}); }
  bool string(const string_t& value) { return take({.text = value.substr(0, most_text)}); }
  bool binary(const binary_t&) { return false; }
  bool start_object(std::size_t) { return enter(); }
  bool start_array(std::size_t) { return enter(); }
  bool end_object() {
    if (depth_ == worker_depth) worker_done();
    return leave();
  }
  bool end_array() { return leave(); }
  bool key(const string_t& name) {
    key_ = name.substr(0, most_text);
    if (depth_ == 1) list_ = key_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) { return false; }

  std::optional<Page> page() {
    if (found_.figures.pool.empty() || seen_ != 3) return std::nullopt;
    return std::move(found_);
  }

 private:
  static constexpr int worker_depth = 3;  // { "processes": [ {

  bool enter() { return ++depth_ <= most_depth; }
  bool leave() {
    --depth_;
    return true;
  }

  bool take(const Value& value) {
    if (depth_ == 1) figure(value);
    if (depth_ == worker_depth && list_ == "processes") worker(value);
    return true;
  }

  void figure(const Value& value) {
    Figures& figures = found_.figures;
    if (!value.is_number) {
      if (key_ == "pool") figures.pool = value.text;
      if (key_ == "process manager") figures.manager = value.text;
      return;
    }
    if (!std::isfinite(value.number) || value.number < 0) return;
    struct Required {
      std::string_view name;
      double Figures::*place;
    };
    for (const auto& [name, place] : {Required{"active processes", &Figures::active},
                                      {"idle processes", &Figures::idle},
                                      {"total processes", &Figures::total}}) {
      if (key_ != name) continue;
      figures.*place = value.number;
      seen_ += 1;
    }
    struct Optional {
      std::string_view name;
      std::optional<double> Figures::*place;
    };
    for (const auto& [name, place] : {Optional{"max active processes", &Figures::max_active},
                                      {"accepted conn", &Figures::accepted},
                                      {"slow requests", &Figures::slow_requests},
                                      {"max children reached", &Figures::max_children_reached},
                                      {"start since", &Figures::uptime},
                                      {"listen queue", &Figures::listen_queue},
                                      {"listen queue len", &Figures::listen_queue_length}}) {
      if (key_ == name) figures.*place = value.number;
    }
  }

  void worker(const Value& value) {
    if (key_ == "state") running_ = value.text == "Running";
    if (key_ == "request duration" && value.number >= 0) request_.seconds = value.number / microseconds;
    if (key_ == "request method") request_.method = value.text;
    if (key_ == "request uri") request_.uri = value.text.substr(0, value.text.find('?'));
    if (key_ == "script") request_.script = value.text;
  }

  void worker_done() {
    Request done = std::exchange(request_, {});
    if (!std::exchange(running_, false) || done.uri == own_path_) return;
    auto& kept = found_.requests;
    const auto place =
        std::find_if(kept.begin(), kept.end(), [&](const auto& other) { return other.seconds < done.seconds; });
    kept.insert(place, std::move(done));
    if (kept.size() > most_requests) kept.pop_back();
  }

  std::string_view own_path_;
  Page found_;
  int depth_ = 0;
  int seen_ = 0;  // of the figures that must be there
  std::string key_, list_;
  Request request_;
  bool running_ = false;
};

}  // namespace

Result<Page> read_page(std::string_view json, std::string_view own_path) {
  Reading reading(own_path);
  static_cast<void>(nlohmann::json::sax_parse(json.begin(), json.end(), &reading));
  auto page = reading.page();
  if (!page) return Failure{"", "the answer is none of php-fpm's status page"};
  return std::move(*page);
}

}  // namespace vitald::probes::php_fpm
