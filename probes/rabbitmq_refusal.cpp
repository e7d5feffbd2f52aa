#include "probes/rabbitmq_refusal.hpp"

#include "probes/foreign_text.hpp"

namespace vitald::probes::rabbitmq {
namespace {

// Reply codes (1.2 of amqp-xml-doc0-9-1.pdf).
constexpr std::uint16_t connection_forced = 320, access_refused = 403, not_found = 404, resource_locked = 405,
                        not_allowed = 530;

constexpr std::size_t shown = 200;  // of the broker's own words

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

std::string quoted(const std::string& name) { return "'" + foreign_text(name) + "'"; }

ProbeFailure vhost_refused(const wire::AmqpClose& close, const Config& config) {
  const std::string vhost = "virtual host " + quoted(config.vhost);
  if (says(close.text, "not found")) {
    return ProbeFailure(Outcome::wrong, "vhost_missing", vhost + " does not exist",
                        "see which there are: rabbitmqctl list_vhosts");
  }
  if (says(close.text, "limit"))
    return ProbeFailure(Outcome::wrong, "connection_limit",
                        "takes no more connections: " + foreign_text(close.text, shown));
  if (says(close.text, "is down")) {
    return ProbeFailure(Outcome::wrong, "vhost_down", vhost + " is down",
                        "look for the fault in the broker's log, then: rabbitmqctl restart_vhost -p " + config.vhost);
  }
  return ProbeFailure(Outcome::unmeasured, "no_vhost_access",
                      "user " + quoted(config.login.user) + " may not enter " + vhost,
                      "run: rabbitmqctl set_permissions -p " + config.vhost + " " + config.login.user + " '' '' ''");
}

}  // namespace

ProbeFailure closed_early(Stage stage) {
  std::string summary = "closed the connection in the middle of the conversation";
  if (stage == Stage::greeting) summary = "closed the connection without a word";
  if (stage == Stage::login)
    summary = "closed the connection during the login: it refuses the password and does not say so, or it stops";
  return ProbeFailure(Outcome::refused, "closed_early", summary);
}

ProbeFailure no_frame(const wire::AmqpReader& reader, const std::string& why) {
  if (reader.wants())
    return ProbeFailure(Outcome::wrong, "wrong_protocol",
                        "speaks AMQP " + reader.wants()->text() + " instead of 0-9-1");
  if (reader.begun()) return bad_frame(why);
  const std::string_view rest = reader.rest();
  // A TLS record: an alert (21) or a handshake (22) of SSL 3.x, RFC 8446 section 5.1.
  if (rest.size() >= 2 && (rest[0] == '\x15' || rest[0] == '\x16') && rest[1] == '\x03') {
    return ProbeFailure(Outcome::unmeasured, "wants_tls", "answers in TLS, and the check speaks without",
                        "set tls: true in the check, or take the port without TLS (5672)");
  }
  if (rest.front() > '\x08') {
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    return ProbeFailure(Outcome::wrong, "not_amqp", "answers, but not in AMQP: '" + foreign_text(line) + "'");
  }
  return ProbeFailure(Outcome::wrong, "not_amqp", "answers, but not in AMQP: " + why);
}

ProbeFailure bad_frame(const std::string& why) {
  return ProbeFailure(Outcome::wrong, "bad_frame", "answers in broken AMQP: " + why);
}

ProbeFailure unexpected() {
  return ProbeFailure(Outcome::wrong, "bad_answer", "answers in AMQP, but not what was asked");
}

ProbeFailure wrong_version(const wire::AmqpStart& start) {
  return ProbeFailure(
      Outcome::wrong, "wrong_protocol",
      "speaks AMQP " + std::to_string(start.major) + "-" + std::to_string(start.minor) + " instead of 0-9-1");
}

ProbeFailure no_plain_login(const wire::AmqpStart& start) {
  return ProbeFailure(Outcome::unmeasured, "no_plain_login",
                      "takes no login with user and password, only " + quoted(start.mechanisms),
                      "add PLAIN to auth_mechanisms in rabbitmq.conf, or watch the port with the tls or tcp probe");
}

ProbeFailure connection_refused(const wire::AmqpClose& close, Stage stage, const Config& config) {
  const std::string words = foreign_text(close.text, shown);
  if (close.code == connection_forced) {
    return ProbeFailure(Outcome::refused, "shutting_down", "sends its clients away: " + words);
  }
  if (stage == Stage::login && close.code == access_refused) {
    const std::string remedy = config.login.user == "guest" ? "guest may log in from the broker's own host only: give "
                                                              "vitald a user of its own (docs/probes/rabbitmq.md)"
                                                            : "run: rabbitmqctl change_password " + config.login.user +
                                                                  ", and see the secret of the check";
    return ProbeFailure(Outcome::unmeasured, "wrong_password",
                        "answers, but refuses user " + quoted(config.login.user) + " with this password", remedy);
  }
  // RabbitMQ says 530 for a virtual host that is missing or forbidden, and 541 for one that is down.
  if (stage == Stage::vhost && (close.code == not_allowed || says(close.text, "is down")))
    return vhost_refused(close, config);
  return ProbeFailure(Outcome::wrong, "closed_by_broker",
                      "closed the connection with code " + std::to_string(close.code) + ": " + words);
}

ProbeFailure queue_refused(const wire::AmqpChannelClose& close, const Config& config, const std::string& queue) {
  const std::string name = foreign_text(queue);
  if (close.code == not_found && says(close.text, "down or inaccessible")) {
    return ProbeFailure(Outcome::wrong, "queue_down", name + ": the node that holds the queue is down",
                        "see: rabbitmqctl cluster_status");
  }
  if (close.code == not_found) {
    return ProbeFailure(Outcome::wrong, "queue_missing",
                        name + ": no such queue in virtual host " + quoted(config.vhost),
                        "see which there are: rabbitmqctl list_queues -p " + config.vhost + " name");
  }
  if (close.code == resource_locked) {
    return ProbeFailure(Outcome::unmeasured, "queue_exclusive",
                        name + ": another connection holds the queue for itself alone",
                        "list it under management: instead, or leave it out");
  }
  if (close.code == access_refused) {
    return ProbeFailure(Outcome::unmeasured, "no_permission",
                        name + ": user " + quoted(config.login.user) + " may not look at it",
                        "see: rabbitmqctl list_permissions -p " + config.vhost);
  }
  return ProbeFailure(
      Outcome::wrong, "queue_error",
      name + ": refused with code " + std::to_string(close.code) + ": " + foreign_text(close.text, shown));
}

}  // namespace vitald::probes::rabbitmq
