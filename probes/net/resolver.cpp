#include "probes/net/resolver.hpp"

#include <ares.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <unordered_map>
#include <utility>

#include "config/units.hpp"
#include "probes/failure.hpp"
#include "probes/net/dns_channel.hpp"

namespace vitald::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_cached = 4096;
constexpr std::size_t most_out = 1024;
constexpr auto shortest_life = 5s;  // also of a name that does not exist
constexpr auto longest_life = 300s;
constexpr auto file_check_every = 5s;
constexpr const char* resolv_conf = "/etc/resolv.conf";

int family_constant(Family family) {
  if (family == Family::ipv4) return AF_INET;
  return family == Family::ipv6 ? AF_INET6 : AF_UNSPEC;
}

struct FileStamp {
  timespec changed{};
  ino_t inode = 0;
  off_t size = 0;
  bool operator==(const FileStamp& other) const {
    return changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec && inode == other.inode &&
           size == other.size;
  }
};

FileStamp stamp_of(const char* path) {
  struct stat file {};
  if (::stat(path, &file) != 0) return {};
  return {file.st_mtim, file.st_ino, file.st_size};
}

bool says_no_such_name(int status) {
  return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME;
}

probes::ProbeFailure not_found(const std::string& name, Family family) {
  const char* what = family == Family::any    ? "no address is known for "
                     : family == Family::ipv4 ? "no IPv4 address is known for "
                                              : "no IPv6 address is known for ";
  return probes::ProbeFailure(Outcome::refused, "name_not_found", what + name);
}

probes::ProbeFailure resolver_failed(const std::string& name, const std::string& why) {
  return probes::ProbeFailure(Outcome::unmeasured, "resolver_failed", "look up " + name + ": " + why,
                              "see whether this host's name servers answer: /etc/resolv.conf, resolvectl status");
}

}  // namespace

struct Resolver::State : std::enable_shared_from_this<Resolver::State> {
  /// One question to the name servers, shared by everybody who asks the same meanwhile.
  struct Lookup {
    std::string name;
    Family family = Family::any;
    std::optional<DnsChannel::Answer> answer;
    std::vector<boost::asio::steady_timer*> sleepers;
  };
  struct Known {
    DnsChannel::Answer answer;
    Steady until;
  };

  State(Poller& poller_, const Clock& clock_, const NetworkOptions& options_)
      : poller(poller_), clock(clock_), options(options_) {}

  void refresh();
  std::shared_ptr<Lookup> ask(const std::string& key, const std::string& name, Family family);
  void start(const std::string& key, const std::shared_ptr<Lookup>& lookup);
  void finish(const std::string& key, const std::shared_ptr<Lookup>& lookup, DnsChannel::Answer answer);
  void remember(const std::string& key, const DnsChannel::Answer& answer);

  Poller& poller;
  const Clock& clock;
  NetworkOptions options;
  std::unique_ptr<DnsChannel> channel;
  std::optional<Steady> checked;
  FileStamp stamp;
  std::unordered_map<std::string, Known> cache;
  std::unordered_map<std::string, std::shared_ptr<Lookup>> out;
};

/// Follows /etc/resolv.conf. c-ares 1.18 reads /etc/hosts anew for each lookup, but the name servers only once.
void Resolver::State::refresh() {
  const auto now = clock.now().steady;
  if (channel && checked && now - *checked < file_check_every) return;
  checked = now;
  const auto current = stamp_of(resolv_conf);
  if (channel && (current == stamp || !options.dns_servers.empty())) return;
  stamp = current;
  cache.clear();
  auto before = std::move(channel);
  channel = std::make_unique<DnsChannel>(poller, options.dns_servers);
  before.reset();  // what was out comes back as ARES_EDESTRUCTION, which finish() leaves open
  auto again = out;
  for (const auto& [key, lookup] : again) start(key, lookup);
}

std::shared_ptr<Resolver::State::Lookup> Resolver::State::ask(const std::string& key, const std::string& name,
                                                              Family family) {
  if (const auto same = out.find(key); same != out.end()) return same->second;
  if (out.size() >= most_out) throw resolver_failed(name, "too many lookups are out already");
  auto lookup = std::make_shared<Lookup>();
  lookup->name = name;
  lookup->family = family;
  out.emplace(key, lookup);
  start(key, lookup);
  return lookup;
}

void Resolver::State::start(const std::string& key, const std::shared_ptr<Lookup>& lookup) {
  channel->lookup(lookup->name, family_constant(lookup->family),
                  [self = weak_from_this(), key, lookup](DnsChannel::Answer answer) {
                    if (const auto state = self.lock()) state->finish(key, lookup, std::move(answer));
                  });
}

void Resolver::State::finish(const std::string& key, const std::shared_ptr<Lookup>& lookup, DnsChannel::Answer answer) {
  if (answer.status == ARES_EDESTRUCTION) return;
  if (answer.status == ARES_SUCCESS && answer.addresses.empty()) answer.status = ARES_ENODATA;
  remember(key, answer);
  lookup->answer = std::move(answer);
  out.erase(key);
  for (auto* sleeper : lookup->sleepers) sleeper->cancel();
}

void Resolver::State::remember(const std::string& key, const DnsChannel::Answer& answer) {
  const bool missing = says_no_such_name(answer.status);
  if (answer.status != ARES_SUCCESS && !missing) return;
  const auto now = clock.now().steady;
  if (cache.size() >= most_cached) std::erase_if(cache, [&](const auto& entry) { return entry.second.until <= now; });
  if (cache.size() >= most_cached) cache.erase(cache.begin());
  const auto life = missing ? shortest_life : std::clamp(std::chrono::seconds(answer.ttl), shortest_life, longest_life);
  cache.insert_or_assign(key, Known{answer, now + life});
}

Resolver::Resolver(Poller& poller, const Clock& clock, const NetworkOptions& options)
    : state_(std::make_shared<State>(poller, clock, options)) {}

Resolver::~Resolver() {
  // A coroutine may hold the state for longer than the poller lives; the channel may not.
  state_->channel.reset();
}

namespace {

/// Sleeps until the lookup is answered or late; takes itself off the list however the coroutine ends.
class Sleeper {
 public:
  Sleeper(boost::asio::any_io_executor loop, std::vector<boost::asio::steady_timer*>& list, Duration most)
      : timer_(std::move(loop), most), list_(list) {
    list_.push_back(&timer_);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() { std::erase(list_, &timer_); }

  boost::asio::steady_timer& timer() { return timer_; }

 private:
  boost::asio::steady_timer timer_;
  std::vector<boost::asio::steady_timer*>& list_;
};

}  // namespace

awaitable<std::vector<Address>> Resolver::resolve(std::string name, std::uint16_t port, Family family) {
  const auto state = state_;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name.empty() || name.size() > 254) throw not_found(name.substr(0, 64), family);
  state->refresh();
  const auto key = std::to_string(static_cast<int>(family)) + name;

  DnsChannel::Answer answer;
  if (const auto known = state->cache.find(key);
      known != state->cache.end() && known->second.until > state->clock.now().steady) {
    answer = known->second.answer;
  } else {
    const auto lookup = state->ask(key, name, family);
    if (!lookup->answer) {
      Sleeper sleeper(state->poller.executor(), lookup->sleepers, state->options.dns_deadline);
      boost::system::error_code woken;
      co_await sleeper.timer().async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
      if (!lookup->answer && woken) throw boost::system::system_error(woken);  // the run was cancelled
    }
    if (!lookup->answer)
      throw resolver_failed(name, "no name server answered within " + say_duration(state->options.dns_deadline));
    answer = *lookup->answer;
  }
  if (says_no_such_name(answer.status)) throw not_found(name, family);
  if (answer.status != ARES_SUCCESS) throw resolver_failed(name, ares_strerror(answer.status));
  for (auto& address : answer.addresses) address = Address::of(address.raw(), address.length, port);
  co_return std::move(answer.addresses);
}

}  // namespace vitald::net
