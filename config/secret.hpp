// A secret, or why it could not be read. It has no stream operator and no conversion on purpose: the only way to the
// text is reveal(), which is called where the secret goes on its wire and nowhere else (docs/guarantees.md R20).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/result.hpp"

namespace vitald {

/// Copies are one secret: what load() reads through one of them, reveal() finds through all. So the loader of the
/// configuration can read every secret long after a parse function has put its copy away.
class Secret {
 public:
  enum class Source { plain, file, environment, credential };

  Secret() = default;  // plain and empty
  /// `name` is the path, variable or credential; for a plain one the secret itself.
  Secret(Source source, std::string name);

  Source source() const;
  /// The path, variable or credential it comes from ("" for a plain one): safe to show to people.
  const std::string& name() const;
  /// "file /etc/vitald/db-password", "credential mysql": for messages.
  std::string describe() const;

  /// Reads the value once, when the configuration is loaded by the service (never by check-config, which may not be
  /// allowed to). Blocking, bounded to 64 KiB, a trailing newline is dropped. Failure stays with the secret. Not to be
  /// called while another thread reveals.
  void load();

  /// The text, or a sentence saying which secret could not be read and what to do. Never blocks.
  Result<std::string_view> reveal() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vitald
