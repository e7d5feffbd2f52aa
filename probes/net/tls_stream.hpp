// TLS over a socket: OpenSSL driven by readiness.
#pragma once

#include <memory>
#include <string>

#include "probes/net/socket.hpp"
#include "probes/net/tls_context.hpp"

namespace vitald::net {

/// Does the handshake. `host` is what was connected to: the name to verify unless the options give another. Throws
/// probes::ProbeFailure: tls_expired, tls_not_yet_valid, tls_wrong_name, tls_self_signed, tls_untrusted,
/// tls_chain_incomplete, tls_handshake, tls_closed.
awaitable<std::unique_ptr<Stream>> make_tls_stream(std::unique_ptr<Socket> socket, std::string peer, TlsContext context,
                                                   const TlsOptions& options, const std::string& host, Wall now);

}  // namespace vitald::net
