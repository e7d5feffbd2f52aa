// What is asked of supervisord. Its other methods stop programs, clear logs and more: none of them is named here.
#pragma once

#include <string>
#include <vector>

#include "probes/supervisor.hpp"
#include "probes/wire/xml_rpc.hpp"

namespace vitald::probes::supervisor {

class Client {
 public:
  /// The first of the usual sockets that is there, where the check names none. Throws ProbeFailure: secret_missing.
  Client(ProbeContext& context, const Config& config);

  /// Throws ProbeFailure: supervisord_not_running, no_password, wrong_password, shutting_down, fault, bad_reply, and
  /// what fetch() throws.
  awaitable<std::vector<Program>> programs();
  /// The end of what the program wrote, to standard error where that has a log of its own; "" where it cannot be had.
  awaitable<std::string> log_tail(Program program);
  const std::string& peer() const { return peer_; }

 private:
  awaitable<net::HttpResponse> post(std::string body);
  awaitable<net::HttpResponse> post_somewhere(std::string body);
  awaitable<wire::XmlRpcAnswer> call(std::string body);
  void check_status(const net::HttpResponse& response) const;

  ProbeContext& context_;
  const Config& config_;
  net::HttpRequest request_;
  std::string where_;  // the socket or address, for messages
  std::string peer_;
};

}  // namespace vitald::probes::supervisor
