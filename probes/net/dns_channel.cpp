#include "probes/net/dns_channel.hpp"

#include <ares.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "probes/failure.hpp"

namespace vitald::net {
namespace {

// 0.8 s + 1.6 s: a server that drops packets is given up on before the lookup's own deadline, so the cause can be told.
constexpr int first_timeout_ms = 800;
constexpr int tries = 2;
constexpr std::size_t most_addresses = 16;

}  // namespace

/// A socket of c-ares in the poller. c-ares opens and closes it; here it is only watched, level-triggered, since c-ares
/// need not read all that is there.
class DnsChannel::Line final : Poller::Watch {
 public:
  Line(DnsChannel& channel, int descriptor) : channel_(channel), descriptor_(descriptor) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() override {
    channel_.poller_.forget(*this);
    channel_.poller_.remove(descriptor_);
  }

  void watch(bool readable, bool writable) {
    const std::uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
    if (watched_)
      channel_.poller_.change(descriptor_, events, *this);
    else
      channel_.poller_.add(descriptor_, events, *this);
    watched_ = true;
    channel_.poller_.hold(*this);
  }

  void idle() { channel_.poller_.release(*this); }
  void busy() { channel_.poller_.hold(*this); }

 private:
  void ready(std::uint32_t events) override {
    const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    channel_.process((events & EPOLLIN) != 0 || broken ? descriptor_ : ARES_SOCKET_BAD,
                     (events & EPOLLOUT) != 0 ? descriptor_ : ARES_SOCKET_BAD);
  }

  DnsChannel& channel_;
  int descriptor_;
  bool watched_ = false;
};

struct DnsChannel::Question {
  DnsChannel& channel;
  std::weak_ptr<char> alive;
  Done done;
};

DnsChannel::DnsChannel(Poller& poller, const std::vector<std::string>& servers)
    : poller_(poller), timer_(poller.executor()) {
  ares_options options{};
  char lookups[] = "fb";  // /etc/hosts, then the name servers
  options.lookups = lookups;
  options.timeout = first_timeout_ms;
  options.tries = tries;
  options.sock_state_cb = &DnsChannel::socket_state;
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  int status = ares_init_options(&channel_, &options, mask);
  if (status == ARES_SUCCESS && !servers.empty()) {
    std::string list;
    for (const auto& server : servers) list += (list.empty() ? "" : ",") + server;
    status = ares_set_servers_ports_csv(channel_, list.c_str());
    if (status != ARES_SUCCESS) ares_destroy(channel_);
  }
  if (status != ARES_SUCCESS)
    throw probes::ProbeFailure(Outcome::unmeasured, "resolver_failed",
                               std::string("the resolver does not start: ") + ares_strerror(status),
                               "see /etc/resolv.conf");
}

DnsChannel::~DnsChannel() {
  alive_.reset();
  ares_destroy(channel_);  // answers what is out, and reports its sockets as closed
  lines_.clear();
}

void DnsChannel::lookup(const std::string& name, int family, Done done) {
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  ++out_;
  auto question = std::make_unique<Question>(Question{*this, alive_, std::move(done)});
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &DnsChannel::answered, question.release());
  if (out_ == 1)
    for (auto& line : lines_) line.second->busy();
  pump();
}

void DnsChannel::answered(void* given, int status, int, ares_addrinfo* result) {
  const std::unique_ptr<Question> question(static_cast<Question*>(given));
  Answer answer;
  answer.status = status;
  bool first = true;
  for (auto* node = result != nullptr ? result->nodes : nullptr; node != nullptr; node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
    if (answer.addresses.size() == most_addresses) break;
    answer.addresses.push_back(Address::of(node->ai_addr, node->ai_addrlen, 0));
    answer.ttl = first ? node->ai_ttl : std::min(answer.ttl, node->ai_ttl);
    first = false;
  }
  if (result != nullptr) ares_freeaddrinfo(result);
  auto& channel = question->channel;
  if (!question->alive.expired() && --channel.out_ == 0)
    for (auto& line : channel.lines_) line.second->idle();  // an idle socket must not keep the loop from ending
  question->done(std::move(answer));
}

void DnsChannel::socket_state(void* self, int descriptor, int readable, int writable) {
  auto& channel = *static_cast<DnsChannel*>(self);
  if (readable == 0 && writable == 0) {
    channel.lines_.erase(descriptor);  // c-ares closes it right after this call
    return;
  }
  auto& line = channel.lines_[descriptor];
  if (!line) line = std::make_unique<Line>(channel, descriptor);
  try {
    line->watch(readable != 0, writable != 0);
  } catch (const probes::ProbeFailure&) {
    // Nothing may be thrown through c-ares. Unwatched, the question ends by its time-out, and as our own fault.
  }
}

void DnsChannel::process(int readable, int writable) {
  const std::weak_ptr<char> alive = alive_;
  ares_process_fd(channel_, readable, writable);
  if (!alive.expired()) pump();
}

/// c-ares notices its time-outs only when it is called.
void DnsChannel::pump() {
  timeval most{60, 0};
  timeval next{};
  if (out_ == 0) {
    timer_.cancel();
    return;
  }
  const auto* due = ares_timeout(channel_, &most, &next);
  if (due == nullptr) due = &most;
  timer_.expires_after(std::chrono::seconds(due->tv_sec) + std::chrono::microseconds(due->tv_usec) +
                       std::chrono::milliseconds(1));
  timer_.async_wait([this, alive = std::weak_ptr<char>(alive_)](const boost::system::error_code& cancelled) {
    if (!cancelled && !alive.expired()) process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

}  // namespace vitald::net
