// The AMQP half of the rabbitmq probe: login, virtual host, queues, and a goodbye that leaves no warning in the log.
#pragma once

#include <string>

#include "probes/rabbitmq.hpp"

namespace vitald::probes::rabbitmq {

/// What the login's password is; guest has one of its own where none is configured.
std::string password_of(const Login& login);

/// Fills peer, product, version, cluster_name, blocked and queues. Throws ProbeFailure: those of Network::connect,
/// closed_early, not_amqp, wants_tls, wrong_protocol, bad_frame, bad_answer, no_plain_login, wrong_password,
/// vhost_missing, vhost_down, no_vhost_access, connection_limit, shutting_down, closed_by_broker. A queue's own trouble
/// stays with the queue.
awaitable<void> ask_broker(ProbeContext& context, const Config& config, Facts& facts);

}  // namespace vitald::probes::rabbitmq
