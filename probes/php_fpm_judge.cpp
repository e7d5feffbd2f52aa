#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/php_fpm.hpp"

namespace vitald::probes::php_fpm {
namespace {

std::string answered(const Facts& facts) {
  std::string words = std::to_string(facts.status);
  if (!facts.reason.empty()) words += " " + foreign_text(facts.reason, 40);
  return words;
}

/// Over FastCGI: php-fpm itself answers, so the pool is up, and all that is missing is the page.
ProbeFailure no_page_of_pool(const Config& config, const Facts& facts) {
  const bool missing = facts.status == 404 || facts.status == 403;  // 403: security.limit_extensions
  if (facts.status >= 500)
    return wrong("wrong_status", "php-fpm answers " + answered(facts) + " instead of its status page");
  return unmeasured(
      "no_status_page",
      "php-fpm answers, but " + config.status_path +
          (missing ? " is not its status page (" + answered(facts) + ")" : " shows something else"),
      "set pm.status_path = " + config.status_path + " in the pool's file, then run: systemctl reload 'php*-fpm'");
}

ProbeFailure no_page_of_web_server(const Config& config, const Facts& facts) {
  if (facts.status == 502 || facts.status == 503 || facts.status == 504)
    return wrong("bad_gateway", answered(facts) + ": the web server gets no answer from php-fpm");
  if (facts.status >= 500) return wrong("wrong_status", answered(facts) + " instead of the status page");
  const std::string remedy = "set pm.status_path = " + config.status_path +
                             " in the pool's file and pass that path to php-fpm in the web server, allowed for this "
                             "host; or give the pool's 'socket' instead of 'url'";
  if (facts.status != 200) return unmeasured("no_status_page", answered(facts) + " instead of the status page", remedy);
  return unmeasured("no_status_page", "the web server answers " + config.status_path + " with something else", remedy);
}

std::optional<double> max_children(const Config& config, const Figures& figures) {
  if (config.max_children) return config.max_children;
  if (figures.manager == "static" && figures.total > 0) return figures.total;
  return std::nullopt;
}

std::string say(const Figures& figures, const std::optional<double>& most) {
  std::string words = say_number(figures.active) + " of " + say_number(most.value_or(figures.total)) +
                      (most ? " workers busy" : " started workers busy");
  if (figures.listen_queue.value_or(0) > 0) words += ", " + say_count(*figures.listen_queue, "connection") + " waiting";
  return words;
}

void add(Observation& seen, const char* name, const std::optional<double>& value) {
  if (value) seen.samples.push_back({.name = name, .value = *value});
}

void measure(const Figures& figures, const std::optional<double>& most, Observation& seen) {
  // A pool of one is busy with our own question whenever we look.
  if (most && *most > 1) add(seen, "used", figures.active / *most);
  seen.samples.push_back({.name = "active", .value = figures.active, .maximum = most});
  add(seen, "idle", figures.idle);
  add(seen, "workers", figures.total);
  add(seen, "max_active", figures.max_active);
  if (figures.listen_queue && figures.listen_queue_length.value_or(0) > 0)
    seen.samples.push_back(
        {.name = "listen_queue", .value = *figures.listen_queue, .maximum = figures.listen_queue_length});
  add(seen, "max_children_reached", figures.max_children_reached);
  add(seen, "slow_requests", figures.slow_requests);
  add(seen, "accepted", figures.accepted);
  add(seen, "uptime", figures.uptime);
}

std::string say(const Request& request) {
  std::string words = say_duration(length_of(request.seconds)) + " " + foreign_text(request.method, 10) + " " +
                      foreign_text(request.uri, 120);
  if (!request.script.empty() && request.script != "-") words += " (" + foreign_text(request.script, 120) + ")";
  return words;
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  if (!facts.page) {
    seen.evidence.push_back({"address", facts.peer});
    if (!facts.said.empty()) seen.evidence.push_back({"answer", facts.said});
    if (!facts.errors.empty()) seen.evidence.push_back({"php-fpm said", foreign_text(facts.errors, 200)});
    blame(config.page ? no_page_of_web_server(config, facts) : no_page_of_pool(config, facts), seen);
    return seen;
  }
  const Figures& figures = facts.page->figures;
  const auto most = max_children(config, figures);
  seen.summary = say(figures, most);
  measure(figures, most, seen);
  seen.evidence.push_back({"pool", foreign_text(figures.pool, 40) + " (" + foreign_text(figures.manager, 20) + "), " +
                                       say(figures, most) + ", " + say_number(figures.idle) + " idle"});
  if (config.max_children && figures.total > *config.max_children) {
    seen.evidence.push_back({"max_children", "the check says " + say_number(*config.max_children) + ", but " +
                                                 say_number(figures.total) + " workers run"});
  }
  std::string busy;
  for (const Request& request : facts.page->requests) busy += (busy.empty() ? "" : "\n") + say(request);
  if (!busy.empty()) seen.evidence.push_back({"longest requests", busy});
  return seen;
}

}  // namespace vitald::probes::php_fpm
