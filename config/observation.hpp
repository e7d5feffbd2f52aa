// What one run of one probe found, before any limit is applied. Made by a probe's judge(), decided upon by the engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "config/sample.hpp"

namespace vitald {

enum class Outcome {
  answered,    // the target did what it should; the samples decide the rest
  refused,     // the target did not answer: refused, reset, timed out, no such name, handshake failed
  wrong,       // it answered, but not what was expected: status, body, certificate, read-only
  unmeasured,  // vitald could not measure: its own resolver, descriptors, permission. Never counted against the target
};

/// ok < warning < unknown < critical, the order in which verdicts of one check outrank each other.
enum class Status { ok = 0, warning = 1, critical = 2, unknown = 3 };
std::string_view to_string(Status status);
/// The one that outranks the other: critical, then unknown, then warning, then ok.
Status worse(Status a, Status b);

enum class Severity { p0 = 0, p1 = 1, p2 = 2, p3 = 3 };
std::string_view to_string(Severity severity);  // "P0" … "P3"

/// A named piece of proof that a person can read: a header, a request id, a log line. Bounded by whoever makes it.
struct Evidence {
  std::string label;  // "request_id", "first byte"
  std::string text;   // foreign text: every renderer escapes it; '\n' separates lines, which stay lines
};

/// How long one step of the run took, in the order in which they happened.
struct Phase {
  std::string_view name;  // static: resolve, connect, tls, send, first_byte, rest
  Duration took{};
};

struct Observation {
  Outcome outcome = Outcome::answered;
  /// One line without a full stop, as a message would put it: "502 Bad Gateway instead of 200", "connection refused".
  std::string summary;
  /// A closed word for machines, stable over releases: "connect_refused", "certificate_expired". Empty when answered.
  /// Unknown incidents are grouped by it, so where a remedy differs the reason must as well
  /// ("denied:/run/docker.sock").
  std::string reason = {};
  /// What a person can do, where we know: "run: setfacl -m u:vitald:r /srv/key.pem". May be empty.
  std::string remedy = {};
  std::vector<Sample> samples = {};
  std::vector<Phase> phases = {};
  std::vector<Evidence> evidence = {};
  /// What the probe wants to find in ProbeContext::memory at its next run (<= 60 KiB); nothing: keep what it had.
  std::optional<std::string> memory = {};
  /// When the same facts would be judged otherwise, so that the check should run then, whatever its `every`.
  std::optional<Wall> look_again = {};
};

}  // namespace vitald
