// A secret, or why it could not be read. It has no stream operator and no conversion on purpose: the only way to the
// text is reveal(), which is called where the secret goes on its wire and nowhere else (reliability.md R20).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/result.hpp"

namespace vitald {

class Secret {
 public:
  enum class Source { plain, file, environment, credential };

  Secret() = default;
  Secret(Source source, std::string name) : source_(source), name_(std::move(name)) {}

  Source source() const { return source_; }
  /// The path, variable or credential it comes from ("" for a plain one): safe to show to people.
  const std::string& name() const { return source_ == Source::plain ? empty() : name_; }
  /// "file /etc/vitald/db-password", "credential mysql": for messages.
  std::string describe() const;

  /// Reads the value once, when the configuration is loaded by the service (never by check-config, which may not be
  /// allowed to). Blocking, bounded to 64 KiB, a trailing newline is dropped. Failure stays with the secret.
  void load();

  /// The text, or a sentence saying which secret could not be read and what to do. Never blocks.
  Result<std::string_view> reveal() const;

 private:
  static const std::string& empty();
  Source source_ = Source::plain;
  std::string name_;  // for plain: the secret itself
  std::shared_ptr<const Result<std::string>> value_;
};

}  // namespace vitald
