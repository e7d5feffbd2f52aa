#include "probes/rabbitmq.hpp"

#include "probes/options.hpp"
#include "probes/rabbitmq_client.hpp"
#include "probes/rabbitmq_management.hpp"

namespace vitald::probes::rabbitmq {
namespace {

using config::ListOf;
using config::Text;

constexpr std::size_t most_pattern_bytes =
    2048;  // of all patterns: they go into one address, of which servers take 8 KiB

std::vector<std::string> read_queues(config::Reader& in, std::string_view help) {
  const ListOf<Text> names{.kind = {.longest = 255}, .single = true, .most = most_queues};
  return in.optional("queues", names, {}, help);
}

ManagementConfig read_management(config::Reader& in, bool& own_login) {
  ManagementConfig management;
  const auto url = in.required("url", Text{}, "Address of the management API, http:// or https://");
  const auto user = in.maybe("user", Text{.longest = 255}, "User with the tag monitoring; left out: that of AMQP");
  management.login.password = in.maybe("password", config::SecretText{}, "Its password; left out: that of AMQP");
  in.object("tls", "How to verify the server of an https:// address, and who we are",
            [&](config::Reader& tls) { management.tls = read_tls(tls); });
  management.queues = read_queues(in, "Names of queues, or patterns with * and ?, to look up there");

  own_login = user.has_value();
  if (user) management.login.user = *user;
  if (user.has_value() != management.login.password.has_value())
    in.problem(user ? "user" : "password", "'user' and 'password' go together");
  if (management.login.user.find(':') != std::string::npos)
    in.problem("user", "a user name cannot hold a colon (RFC 7617)");
  if (url.empty()) return management;
  const auto parsed = net::parse_url(url);
  if (!parsed) {
    in.problem("url", parsed.failure().what);
    return management;
  }
  management.url = *parsed;
  if (management.url.path.find('?') != std::string::npos) in.problem("url", "the address cannot hold a query ('?')");
  while (management.url.path.ends_with('/')) management.url.path.pop_back();
  return management;
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view name) {
  std::size_t at = 0, in_name = 0;
  std::size_t star = std::string_view::npos, resume = 0;  // the last star, and where what follows it was tried
  while (in_name < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = in_name;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == name[in_name])) {
      ++at;
      ++in_name;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_name = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

Config parse(config::Reader& in) {
  Config config;
  config.where = in.required("address", HostPort{}, "Host and port of the broker; 5672, or 5671 with TLS, as a rule");
  config.where.family = read_family(in);
  config.where.tls =
      in.optional("tls", TlsSwitch{}, std::nullopt, "Speak TLS: `true`, or a mapping of the options below");
  config.login.user = in.optional("user", Text{.longest = 255}, "guest", "User to log in as");
  config.login.password = in.maybe("password", config::SecretText{}, "Its password; guest's may be left out");
  config.vhost = in.optional("vhost", Text{.longest = 255}, "/", "Virtual host to enter");
  config.queues = read_queues(in, "Names of queues to look up over AMQP");
  const auto word = in.optional("without_consumer", config::OneOf{{"unexpected", "allow"}}, "unexpected",
                                "Whether a queue that grows while nobody consumes from it is a fault");
  config.without_consumer_allowed = word == "allow";
  ManagementConfig management;
  bool own_login = false;
  const bool managed = in.object("management", "The HTTP API of the management plugin, for what AMQP does not tell",
                                 [&](config::Reader& here) { management = read_management(here, own_login); });

  if (config.login.user != "guest" && !config.login.password)
    in.problem("user", "a user other than guest needs a 'password'");
  std::size_t pattern_bytes = 0;
  for (const auto& queue : config.queues) {
    pattern_bytes += queue.size();
    if (queue.find_first_of("*?") != std::string::npos)
      in.warn("queues", "'" + queue + "' is looked up as it is written: patterns belong under 'management'");
  }
  if (!managed) return config;
  for (const auto& queue : management.queues) pattern_bytes += queue.size();
  if (pattern_bytes > most_pattern_bytes)
    in.problem("management", "the names and patterns of all queues together can be 2048 bytes long at most");
  if (!own_login) management.login = config.login;
  config.management = std::move(management);
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.memory = context.memory;
  co_await ask_broker(context, config, facts);
  if (config.management) {
    auto management = co_await ask_management(context, config);
    facts.management = std::move(management);
  }
  co_return facts;
}

}  // namespace vitald::probes::rabbitmq
