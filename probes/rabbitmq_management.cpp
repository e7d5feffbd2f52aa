#include "probes/rabbitmq_management.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "probes/authorization.hpp"
#include "probes/foreign_text.hpp"
#include "probes/rabbitmq_client.hpp"
#include "probes/rabbitmq_json.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::rabbitmq {
namespace {

constexpr std::size_t most_body = 256 * 1024;   // fifty queues with long names take a tenth of it
constexpr std::size_t inline_body = 16 * 1024;  // a hostile one of this size takes a few milliseconds to search

constexpr std::string_view nodes_path =
    "/api/"
    "nodes?columns=name,running,mem_alarm,disk_free_alarm,mem_used,mem_limit,disk_free,fd_used,fd_total,partitions";
constexpr std::string_view alarms_path = "/api/health/checks/alarms";
constexpr std::string_view overview_path = "/api/overview?columns=object_totals";

/// Percent-encodes all but the unreserved characters (RFC 3986 section 2.3).
std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

/// A name as a regular expression of PCRE, which the broker's Erlang uses: a backslash before anything but a letter or
/// digit means that character itself. In a glob * and ? have their meaning; a name is what it says.
std::string expression_of(std::string_view name, bool glob) {
  std::string out;
  for (const char c : name) {
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (glob && c == '*') {
      out += ".*";
    } else if (glob && c == '?') {
      out += '.';
    } else {
      if (!word && static_cast<unsigned char>(c) < 0x80) out += '\\';
      out += c;
    }
  }
  return out;
}

ProbeFailure unreachable(const ProbeFailure& failure) {
  if (failure.outcome == Outcome::unmeasured) return failure;
  return ProbeFailure(
      Outcome::unmeasured, "management_unreachable",
      std::string("the broker answers, but its management API does not: ") + failure.what(),
      "run on the broker: rabbitmq-plugins enable rabbitmq_management, or see the url under management:");
}

ProbeFailure unreadable(const std::string& path, const std::string& why) {
  return ProbeFailure(Outcome::unmeasured, "management_unreadable",
                      "the management API answers " + path.substr(0, path.find('?')) + " with something else: " + why,
                      "see whether the url under management: leads to RabbitMQ");
}

ProbeFailure missing(const ManagementConfig& config) {
  return ProbeFailure(Outcome::unmeasured, "management_missing",
                      "the broker answers, but there is no management API at " + config.url.authority + config.url.path,
                      "see the url under management:, without /api at its end");
}

ProbeFailure refused(const ManagementConfig& config, const std::string& words) {
  const std::string user = config.login.user;
  std::string remedy = "see user and password under management:";
  if (words.find("Not management user") != std::string::npos)
    remedy = "run: rabbitmqctl set_user_tags " + user + " monitoring";
  if (words.find("virtual host") != std::string::npos)
    remedy = "run: rabbitmqctl set_permissions -p VHOST " + user + " '' '' '' with the check's virtual host";
  return ProbeFailure(Outcome::unmeasured, "management_refused",
                      "the broker answers, but its management API refuses user '" + foreign_text(user) + "': " + words,
                      remedy);
}

/// One question after the other; the first trouble ends the questions and stays in the facts.
class Questions {
 public:
  Questions(ProbeContext& context, const Config& config)
      : context_(context), config_(*config.management), phases_(context.clock) {
    request_.compressed = false;
    request_.family = config.where.family;
    request_.tls = config_.tls;
    request_.limits.body_bytes = most_body;
    request_.headers.emplace_back("Authorization", basic_authorization(config_.login.user, password_of(config_.login)));
  }

  awaitable<void> ask(ManagementFacts& facts, const Config& config) {
    co_await take<std::vector<NodeFacts>>(std::string(nodes_path), read_nodes, facts.nodes);
    co_await take<std::optional<std::vector<Alarm>>>(std::string(alarms_path), read_alarms, facts.alarms);
    co_await take<std::optional<double>>(std::string(overview_path), read_connections, facts.connections);
    const bool wants_queues = !config.queues.empty() || !config_.queues.empty();
    if (!wants_queues) co_return;
    QueueList list;
    co_await take<QueueList>(queues_path(config), read_queue_list, list);
    facts.queues = std::move(list.queues);
    facts.matching = list.matching;
  }

 private:
  template <class Answer>
  awaitable<void> take(std::string path, Result<Answer> (*read)(std::string_view), Answer& into) {
    const auto body = co_await fetch(path);
    if (!body) co_return;
    const auto work = std::make_shared<std::pair<std::string, Result<Answer>>>(*body, Answer{});
    if (work->first.size() <= inline_body) {
      work->second = read(work->first);
    } else {
      std::function<void()> job = [work, read] { work->second = read(work->first); };
      std::string key = "management API of " + config_.url.authority;
      co_await context_.workers.run(std::move(key), std::move(job));
    }
    if (!work->second) throw unreadable(path, work->second.failure().what);
    into = std::move(*work->second);
  }

  awaitable<std::optional<std::string>> fetch(const std::string& path) {
    request_.url = config_.url;
    request_.url.path += path;
    auto response = co_await net::fetch(context_.network, request_, phases_);
    const bool alarms = path == alarms_path;  // 503 is its way to say that there are some
    if (response.status == 401 || response.status == 403) throw refused(config_, refusal_words(response.body));
    if (response.status == 404 && path == nodes_path) throw missing(config_);
    // An endpoint that this version does not have says nothing: the sample is left out.
    if (response.status == 404) co_return std::nullopt;
    if (response.status != 200 && !(alarms && response.status == 503))
      throw unreadable(path, "status " + std::to_string(response.status));
    if (response.truncated) throw unreadable(path, "more than 256 KiB");
    co_return std::move(response.body);
  }

  static std::string refusal_words(const std::string& body) {
    const std::string said = body.size() <= inline_body ? read_text(body, "reason") : "";
    return said.empty() ? "the login failed" : foreign_text(said);
  }

  ProbeContext& context_;
  const ManagementConfig& config_;
  net::HttpRequest request_;
  net::PhaseLog phases_;
};

}  // namespace

std::string queues_path(const Config& config) {
  std::string any;
  for (const auto& name : config.queues) any += (any.empty() ? "" : "|") + expression_of(name, false);
  for (const auto& glob : config.management->queues) any += (any.empty() ? "" : "|") + expression_of(glob, true);
  // The fullest first: of too many, those are looked at.
  return "/api/queues/" + escaped(config.vhost) + "?page=1&page_size=" + std::to_string(most_queues) +
         "&sort=messages&sort_reverse=true&use_regex=true&name=" + escaped("^(?:" + any + ")$") +
         "&columns=name,messages_ready,messages_unacknowledged,consumers,state";
}

awaitable<ManagementFacts> ask_management(ProbeContext& context, const Config& config) {
  ManagementFacts facts;
  // The steps of the four exchanges would tell a person nothing: the runner says which half it was.
  context.phases.begin("management");
  Questions questions(context, config);
  try {
    co_await questions.ask(facts, config);
  } catch (const ProbeFailure& failure) {
    facts.trouble = unreachable(failure);
  }
  context.phases.mark("management");
  co_return facts;
}

}  // namespace vitald::probes::rabbitmq
