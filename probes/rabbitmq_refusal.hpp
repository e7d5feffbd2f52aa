// What a broker's refusals mean, in words: AMQP reply codes and RabbitMQ's texts to ProbeFailures.
#pragma once

#include <string>

#include "probes/rabbitmq.hpp"
#include "probes/wire/amqp.hpp"

namespace vitald::probes::rabbitmq {

/// How far the conversation has come.
enum class Stage { greeting, login, vhost, queues, goodbye };

ProbeFailure closed_early(Stage stage);
/// The reader gave up: another protocol, another version, or a broken frame.
ProbeFailure no_frame(const wire::AmqpReader& reader, const std::string& why);
ProbeFailure bad_frame(const std::string& why);
/// A message that has no business here.
ProbeFailure unexpected();
ProbeFailure wrong_version(const wire::AmqpStart& start);
ProbeFailure no_plain_login(const wire::AmqpStart& start);
ProbeFailure connection_refused(const wire::AmqpClose& close, Stage stage, const Config& config);
ProbeFailure queue_refused(const wire::AmqpChannelClose& close, const Config& config, const std::string& queue);

}  // namespace vitald::probes::rabbitmq
