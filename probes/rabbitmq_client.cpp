#include "probes/rabbitmq_client.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <variant>

#include "probes/authorization.hpp"
#include "probes/foreign_text.hpp"
#include "probes/rabbitmq_refusal.hpp"
#include "probes/wire/amqp.hpp"

namespace vitald::probes::rabbitmq {
namespace {

using wire::AmqpMessage;

constexpr std::uint16_t channel = 1;
constexpr std::uint32_t most_frame = 64 * 1024;  // ours, as AmqpLimits has it
constexpr std::uint32_t least_frame = 4096;      // frame-min-size (4.9): what any peer takes before it has said more
constexpr std::size_t most_credentials = 3500;   // so that they fit into such a frame
constexpr int most_frames = 500;                 // of a run: heartbeats without end are no answer

/// One connection, one frame at a time. Its members are coroutines of the run that owns it.
class Conversation {
 public:
  Conversation(std::unique_ptr<net::Stream> stream, ProbeContext& context, const Config& config, Facts& facts)
      : stream_(std::move(stream)), phases_(context.phases), config_(config), facts_(facts) {}

  awaitable<void> greet() {
    phases_.begin("first_byte");
    const std::string header = wire::amqp_protocol_header();
    co_await stream_->write(header);
    const auto start = co_await expect<wire::AmqpStart>();
    phases_.mark("first_byte");
    if (start.major != 0 || start.minor != 9) throw wrong_version(start);
    if (!start.offers("PLAIN")) throw no_plain_login(start);
    facts_.product = start.product;
    facts_.version = start.version;
    facts_.cluster_name = start.cluster_name;
  }

  awaitable<void> log_in(const std::string& password) {
    stage_ = Stage::login;
    phases_.begin("login");
    const std::string start_ok = wire::amqp_start_ok(config_.login.user, password);
    co_await stream_->write(start_ok);
    const auto offered = co_await expect<wire::AmqpTune>();
    stage_ = Stage::vhost;
    // A monitor's connection is short: no heartbeat, one channel, frames that the reader takes.
    wire::AmqpTune tune{.channel_max = channel, .frame_max = most_frame, .heartbeat = 0};
    if (offered.frame_max >= least_frame) tune.frame_max = std::min(offered.frame_max, most_frame);
    const std::string opening = wire::amqp_tune_ok(tune) + wire::amqp_open(config_.vhost);
    co_await stream_->write(opening);
    co_await expect<wire::AmqpOpenOk>();
    phases_.mark("login");
  }

  /// All names at once. The broker closes the channel at one that is not there and forgets the rest, which are asked
  /// for again on a new channel (4.5).
  awaitable<void> look_up_queues() {
    stage_ = Stage::queues;
    phases_.begin("query");
    while (facts_.queues.size() < config_.queues.size()) {
      const std::string open = wire::amqp_channel_open(channel);
      co_await stream_->write(open);
      co_await expect<wire::AmqpChannelOpenOk>();
      co_await look_up_rest();
    }
    phases_.mark("query");
  }

  /// Without it the broker's log warns of a client that closed unexpectedly.
  awaitable<void> say_goodbye() {
    stage_ = Stage::goodbye;
    const std::string close = wire::amqp_close(200, "Goodbye");
    co_await stream_->write(close);
    for (;;) {
      auto message = co_await next();
      if (!message || std::holds_alternative<wire::AmqpCloseOk>(*message)) co_return;
    }
  }

 private:
  awaitable<void> look_up_rest() {
    std::string questions;
    for (std::size_t i = facts_.queues.size(); i < config_.queues.size(); ++i)
      questions += wire::amqp_declare_passive(channel, config_.queues[i]);
    co_await stream_->write(questions);
    while (facts_.queues.size() < config_.queues.size()) {
      const std::string& name = config_.queues[facts_.queues.size()];
      auto message = co_await some();
      if (const auto* found = std::get_if<wire::AmqpDeclareOk>(&message)) {
        facts_.queues.push_back({name, found->messages, std::nullopt, found->consumers});
      } else if (const auto* closed = std::get_if<wire::AmqpChannelClose>(&message)) {
        facts_.queues.push_back({.name = name, .trouble = queue_refused(*closed, config_, name)});
        const std::string close_ok = wire::amqp_channel_close_ok(channel);
        co_await stream_->write(close_ok);
        co_return;
      } else {
        throw unexpected();
      }
    }
  }

  template <class Wanted>
  awaitable<Wanted> expect() {
    auto message = co_await some();
    auto* wanted = std::get_if<Wanted>(&message);
    if (wanted == nullptr) throw unexpected();
    co_return std::move(*wanted);
  }

  /// The next message, which must come.
  awaitable<AmqpMessage> some() {
    auto message = co_await next();
    if (!message) throw closed_early(stage_);
    if (const auto* close = std::get_if<wire::AmqpClose>(&*message)) {
      const wire::AmqpClose said = *close;
      co_await confirm_close();
      throw connection_refused(said, stage_, config_);
    }
    co_return std::move(*message);
  }

  /// The next message that is more than a sign of life; nothing at the orderly end.
  awaitable<std::optional<AmqpMessage>> next() {
    for (;;) {
      auto frame = reader_.next();
      if (!frame) throw no_frame(reader_, frame.failure().what);
      if (!*frame) {
        std::array<char, 4096> piece;
        const auto size = co_await stream_->read_some(piece);
        if (size == 0) co_return std::nullopt;
        reader_.feed(std::string_view(piece.data(), size));
        continue;
      }
      if (++frames_ > most_frames) throw unexpected();
      auto message = wire::amqp_decode(**frame);
      if (!message) throw bad_frame(message.failure().what);
      if (note(*message)) continue;
      co_return std::move(*message);
    }
  }

  /// What may come between any two answers.
  bool note(const AmqpMessage& message) {
    if (const auto* blocked = std::get_if<wire::AmqpBlocked>(&message)) {
      facts_.blocked = blocked->why;
      return true;
    }
    if (std::holds_alternative<wire::AmqpUnblocked>(message)) {
      facts_.blocked.reset();
      return true;
    }
    return std::holds_alternative<wire::AmqpHeartbeat>(message);
  }

  /// A courtesy: the refusal that it answers is what counts, so nothing is made of a failure.
  awaitable<void> confirm_close() {
    const std::string close_ok = wire::amqp_close_ok();
    try {
      co_await stream_->write(close_ok);
    } catch (const ProbeFailure&) {
      co_return;
    }
  }

  std::unique_ptr<net::Stream> stream_;
  net::PhaseLog& phases_;
  const Config& config_;
  Facts& facts_;
  wire::AmqpReader reader_;
  Stage stage_ = Stage::greeting;
  int frames_ = 0;
};

}  // namespace

std::string password_of(const Login& login) { return login.password ? reveal(*login.password) : "guest"; }

awaitable<void> ask_broker(ProbeContext& context, const Config& config, Facts& facts) {
  const std::string password = password_of(config.login);
  if (config.login.user.size() + password.size() > most_credentials) {
    throw ProbeFailure(Outcome::unmeasured, "password_too_long", "the password is longer than a broker takes",
                       "see whether the secret holds the password alone");
  }
  auto stream = co_await context.network.connect(config.where, context.phases);
  facts.peer = stream->peer();
  Conversation conversation(std::move(stream), context, config, facts);
  co_await conversation.greet();
  co_await conversation.log_in(password);
  co_await conversation.look_up_queues();
  co_await conversation.say_goodbye();
}

}  // namespace vitald::probes::rabbitmq
