// One c-ares channel driven by the poller: its sockets watched, its time-outs pumped by a timer.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "probes/net/address.hpp"
#include "probes/net/poller.hpp"

struct ares_channeldata;
struct ares_addrinfo;

namespace vitald::net {

class DnsChannel {
 public:
  struct Answer {
    int status = 0;  // ARES_SUCCESS …; ARES_EDESTRUCTION: the channel went away first
    std::vector<Address> addresses;
    int ttl = 0;  // seconds, the least of all; 0 for /etc/hosts
  };
  using Done = std::function<void(Answer)>;

  /// Reads /etc/resolv.conf, unless `servers` names any. Throws probes::ProbeFailure (resolver_failed) when c-ares
  /// refuses.
  DnsChannel(Poller& poller, const std::vector<std::string>& servers);
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;
  /// Every lookup that is out is answered with ARES_EDESTRUCTION.
  ~DnsChannel();

  /// `done` is called once, from here (/etc/hosts) or from the loop. `family` is an AF_ constant.
  void lookup(const std::string& name, int family, Done done);

 private:
  class Line;
  struct Question;

  static void socket_state(void* self, int descriptor, int readable, int writable);
  static void answered(void* question, int status, int timeouts, ares_addrinfo* result);
  void process(int readable, int writable);
  void pump();

  Poller& poller_;
  ares_channeldata* channel_ = nullptr;
  boost::asio::steady_timer timer_;
  std::map<int, std::unique_ptr<Line>> lines_;
  std::size_t out_ = 0;  // lookups
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace vitald::net
