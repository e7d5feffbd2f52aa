#include "daemon/attempt.hpp"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <optional>
#include <utility>

#include "config/units.hpp"
#include "probes/failure.hpp"
#include "probes/net/http.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;
using alerting::Judgement;

namespace {

constexpr std::size_t longest_reply = 64 * 1024;

Judgement again(std::string why) { return {.kind = Judgement::Kind::retry, .why = std::move(why)}; }
Judgement never(std::string why) { return {.kind = Judgement::Kind::refused, .why = std::move(why)}; }

/// A pipe whose reader sleeps must not hold up the loop: poll(2) promises room for PIPE_BUF bytes, so pieces of that
/// size are written without waiting, or not at all. A message that was cut off is printed again, whole, at the next
/// try.
Judgement print(const alerting::ConsoleText& text) {
  std::string_view rest = text.text;
  while (!rest.empty()) {
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    if (::poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return again("nobody reads standard output");
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
    if (written <= 0) return again("standard output does not take the message");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<net::HttpRequest> wire_request(const alerting::HttpRequest& wanted, const std::string& ca_file) {
  auto url = net::parse_url(wanted.url);
  // Not in parse_url's words, which repeat the address: it may be a secret.
  if (!url) return Failure{"", "the receiver's address cannot be used: look at its host and port"};
  net::HttpRequest request;
  request.method = wanted.method;
  request.url = std::move(*url);
  request.headers = wanted.headers;
  request.body = wanted.body;
  request.compressed = false;
  request.tls.ca_file = ca_file;
  request.limits.body_bytes = longest_reply;
  return request;
}

/// What one attempt needs while it runs. `phases` stays readable when the attempt ends in an exception.
struct Running {
  Running(const asio::any_io_executor& loop, AttemptContext given) : context(std::move(given)), deadline(loop) {}
  AttemptContext context;
  std::optional<net::PhaseLog> phases;
  asio::cancellation_signal kill;
  asio::steady_timer deadline;
};

asio::awaitable<Judgement> deliver(Running& running) {
  AttemptContext& context = running.context;
  auto deliveries = context.notifier->render(context.notification, context.handle, context.form);
  if (!deliveries) co_return never(deliveries.failure().sentence());
  Judgement judgement;
  for (const alerting::Delivery& delivery : *deliveries) {
    if (const auto* text = std::get_if<alerting::ConsoleText>(&delivery)) {
      judgement = print(*text);
    } else {
      auto request = wire_request(std::get<alerting::HttpRequest>(delivery), context.notifier->ca_file());
      if (!request) co_return never(request.failure().what);
      net::PhaseLog& phases = running.phases.emplace(context.clock);
      auto response = co_await net::fetch(context.network, *request, phases);
      const alerting::HttpReply reply{response.status, std::move(response.headers), std::move(response.body)};
      judgement = context.notifier->judge(reply, context.clock.now());
    }
    if (judgement.kind != Judgement::Kind::accepted) co_return std::move(judgement);
  }
  co_return std::move(judgement);
}

/// The request went out whole and no answer came: the receiver may have taken the message (docs/guarantees.md R4).
bool was_sent(const std::optional<net::PhaseLog>& phases) {
  if (!phases) return false;
  const auto& marked = phases->phases();
  return std::any_of(marked.begin(), marked.end(), [](const Phase& phase) { return phase.name == "send"; });
}

Judgement judge_failure(std::exception_ptr failure, Duration patience) {
  try {
    std::rethrow_exception(std::move(failure));
  } catch (const probes::ProbeFailure& refusal) {
    return again(refusal.what());
  } catch (const boost::system::system_error&) {
    return again("no answer within " + say_duration(patience));
  } catch (const std::exception& error) {
    return again(std::string("sending failed inside vitald: ") + error.what());
  }
}

}  // namespace

void start_attempt(const asio::any_io_executor& loop, AttemptContext context, Duration patience,
                   std::function<void(Judgement)> done) {
  auto running = std::make_shared<Running>(loop, std::move(context));
  running->deadline.expires_after(patience);
  running->deadline.async_wait([running](const boost::system::error_code& error) {
    if (!error) running->kill.emit(asio::cancellation_type::terminal);
  });
  auto finished = [loop, running, patience, done = std::move(done)](std::exception_ptr failure,
                                                                    Judgement judgement) mutable {
    running->deadline.cancel();
    if (failure) {
      judgement = judge_failure(failure, patience);
      judgement.perhaps_taken = was_sent(running->phases);
    }
    // Posted: the attempt's frames and its signal must be left before they go.
    asio::post(loop, [running = std::move(running), done = std::move(done),
                      judgement = std::move(judgement)]() mutable { done(std::move(judgement)); });
  };
  asio::co_spawn(loop, deliver(*running), asio::bind_cancellation_slot(running->kill.slot(), std::move(finished)));
}

}  // namespace vitald::daemon
