// A notifier knows how one kind of receiver wants to be told, and what its answers mean. Two pure functions: the sender
// (daemon/sender) does the I/O for all of them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "alerting/event.hpp"
#include "alerting/notification.hpp"
#include "config/reader.hpp"

namespace vitald::alerting {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// The url and headers may hold secrets: nobody logs them. Redirects are never followed.
struct HttpRequest {
  std::string method = "POST";
  std::string url;
  Headers headers;
  std::string body;
};

/// For the receiver `console`: text for the daemon's standard output.
struct ConsoleText {
  std::string text;
};

using Delivery = std::variant<HttpRequest, ConsoleText>;

/// How much of itself a message still says after the receiver called a fuller one malformed (docs/guarantees.md R10).
enum class Form { full, trimmed, minimal };

struct HttpReply {
  int status = 0;
  Headers headers;
  std::string body;  // at most 64 KiB of it
};

struct Judgement {
  enum class Kind {
    accepted,
    retry,      // passing: try again, no sooner than `after` when the receiver said so
    malformed,  // it did not like this message: try the next Form, then give up on the message
    refused,    // it will not take any message until the configuration changes (revoked, forbidden)
  };
  Kind kind = Kind::accepted;
  std::string why;                     // a sentence, no secret in it
  std::optional<Duration> after = {};  // Retry-After, capped at an hour
  Handle handle = {};
  /// The request may have been taken although no answer came: when it is sent again, the message says so.
  bool perhaps_taken = false;
};

class Notifier {
 public:
  virtual ~Notifier() = default;
  /// The requests to make, in order; most receivers need one. Empty: this receiver has nothing to hear about it.
  /// Fails when a secret could not be read.
  virtual Result<std::vector<Delivery>> render(const Notification&, const Handle&, Form) const = 0;
  virtual Judgement judge(const HttpReply&, const Now&) const = 0;
  /// TLS of the receiver's address: nothing means the system's CAs.
  virtual std::string ca_file() const { return ""; }
};

/// The 2xx / 408 425 429 5xx / 400 413 422 / rest ladder that most receivers share, with Retry-After (seconds or date).
Judgement judge_by_status(const HttpReply& reply, const Now& now);

/// One row of the table in notifiers/registry.cpp.
struct NotifierKind {
  std::string_view name;   // the key in `receivers:`: slack, pagerduty, webhook, console
  std::string_view title;  // for people: "Slack"
  std::unique_ptr<const Notifier> (*parse)(config::Reader&);
};

std::span<const NotifierKind> notifier_kinds();
const NotifierKind* find_notifier(std::string_view name);

}  // namespace vitald::alerting
