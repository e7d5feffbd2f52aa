#include "probes/net/race.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "probes/failure.hpp"

namespace vitald::net {
namespace {

using namespace std::chrono_literals;

constexpr auto stagger = 250ms;  // RFC 8305 section 5, "Connection Attempt Delay"

class Race final : Poller::Watch {
 public:
  Race(Poller& poller, std::vector<Address> addresses, const std::string& name)
      : poller_(poller), left_(std::move(addresses)), name_(name), wake_(poller.executor()) {
    std::reverse(left_.begin(), left_.end());
  }
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  awaitable<Connected> run() {
    for (;;) {
      start_next();
      if (winner_) co_return std::move(*winner_);
      if (running_.empty()) throw verdict();
      if (left_.empty())
        wake_.expires_at(boost::asio::steady_timer::time_point::max());
      else
        wake_.expires_after(stagger);
      const auto failed = failures_.size();
      do {
        news_ = false;
        boost::system::error_code woken;
        co_await wake_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
        look();
        if (winner_) co_return std::move(*winner_);
      } while (news_ && failures_.size() == failed);  // a failure starts the next one before its turn
    }
  }

 private:
  struct Attempt {
    Attempt(const Address& address_, std::unique_ptr<Socket> socket_) : address(address_), socket(std::move(socket_)) {}
    Address address;
    std::unique_ptr<Socket> socket;
  };

  void ready(std::uint32_t) override {
    news_ = true;
    wake_.cancel();
  }

  /// Starts the next attempt, and those after it while they fail at once.
  void start_next() {
    while (!left_.empty()) {
      const auto address = left_.back();
      left_.pop_back();
      if (start(address)) return;
    }
  }

  bool start(const Address& address) {
    std::unique_ptr<Socket> socket;
    try {
      socket = std::make_unique<Socket>(poller_, address.family(), address.text());
    } catch (const probes::ProbeFailure& failure) {
      failures_.push_back(failure);  // one family may be missing where the other works
      return false;
    }
    const int error = socket->begin_connect(address.raw(), address.length, address.loopback());
    if (error == EINPROGRESS) socket->tell(this);
    running_.emplace_back(address, std::move(socket));
    settle(running_.size() - 1, error);
    return error == 0 || error == EINPROGRESS;
  }

  /// Asks every attempt that is under way.
  void look() {
    for (std::size_t at = running_.size(); at-- > 0 && !winner_;) {
      auto& attempt = running_[at];
      settle(at, attempt.socket->continue_connect(attempt.address.raw(), attempt.address.length));
    }
  }

  void settle(std::size_t at, int error) {
    if (error == EINPROGRESS) return;
    auto attempt = std::move(running_[at]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
    attempt.socket->tell(nullptr);
    if (error == 0)
      winner_.emplace(std::move(attempt.socket), attempt.address.text());
    else
      failures_.push_back(
          probes::failure_from(std::error_code(error, std::generic_category()), attempt.address.text()));
  }

  /// All failed. "No route" only says that this host lacks the family, so another address's answer tells more.
  probes::ProbeFailure verdict() const {
    std::string all;
    for (const auto& failure : failures_) all += (all.empty() ? "" : "; ") + std::string(failure.what());
    const auto telling = std::find_if(failures_.begin(), failures_.end(), [](const probes::ProbeFailure& failure) {
      return failure.reason != "no_route" && failure.reason != "no_address_family";
    });
    const auto& first = telling != failures_.end() ? *telling : failures_.front();
    return probes::ProbeFailure(first.outcome, first.reason, "connect to " + name_ + ": " + all, first.remedy);
  }

  Poller& poller_;
  std::vector<Address> left_;  // the next one last
  const std::string& name_;
  boost::asio::steady_timer wake_;
  bool news_ = false;
  std::vector<Attempt> running_;
  std::vector<probes::ProbeFailure> failures_;
  std::optional<Connected> winner_;
};

}  // namespace

std::vector<Address> interleave(const std::vector<Address>& addresses) {
  std::vector<Address> first, second, out;
  for (const auto& address : addresses)
    (address.family() == addresses.front().family() ? first : second).push_back(address);
  for (std::size_t at = 0; at < std::max(first.size(), second.size()); ++at) {
    if (at < first.size()) out.push_back(first[at]);
    if (at < second.size()) out.push_back(second[at]);
  }
  return out;
}

awaitable<Connected> race(Poller& poller, std::vector<Address> addresses, std::string name) {
  Race contest(poller, interleave(addresses), name);
  auto won = co_await contest.run();
  co_return won;
}

}  // namespace vitald::net
