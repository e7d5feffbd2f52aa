// What a message says, the same for every receiver. Layout is the renderer's.
#pragma once

#include <string>
#include <vector>

#include "alerting/notification.hpp"

namespace vitald::alerting {

/// Plain text, unescaped: foreign text inside has been cleaned (valid UTF-8, no control characters, bounded), nothing
/// more.
struct Message {
  std::string headline;            // "P0 critical: api-health on web-1 - 502 Bad Gateway instead of 200"
  std::vector<std::string> facts;  // "Cause: …", "Since 02:13:56 UTC, confirmed by 4 probes over 30 s", …
  std::vector<Evidence> evidence;  // a text may have several lines
  std::string remedy;              // what to do, or ""
  std::string runbook;             // address or ""
  std::string acknowledge;         // "vitald ack k3v9", or "" where there is nothing to acknowledge
  std::string notes;               // "Not saved: …", "This message may be a repeat", or ""
};

Message compose(const Notification& notification);

/// The whole message as lines of text, for the console, the log and mail.
std::string plain_text(const Message& message);

/// Foreign bytes made fit to be shown: invalid UTF-8 becomes U+FFFD, control, bidi and zero-width characters become
/// visible or go, length is cut at a code point to `most` characters with "…".
std::string clean(std::string_view foreign, std::size_t most);

/// The same for a text of several lines, which stay lines: at most 12 of them, the last ones, none empty.
std::string clean_lines(std::string_view foreign, std::size_t most);

}  // namespace vitald::alerting
