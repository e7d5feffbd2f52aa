// What the notifiers share: addresses and secrets from the configuration, and text made to fit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alerting/notifiers/notifier.hpp"
#include "config/kinds.hpp"
#include "config/secret.hpp"

namespace vitald::alerting {

/// "", or a sentence that says what is wrong with it as the address of a receiver. The sentence does not repeat the
/// address, which may be a secret.
std::string address_problem(std::string_view address);

/// The secret as an address, or why it is none.
Result<std::string> reveal_address(const Secret& secret, std::string_view option);

/// The secret as it may stand in a header or a JSON member of its own: visible ASCII.
Result<std::string> reveal_token(const Secret& secret, std::string_view option);

/// An address that may be a secret as a whole: text, or { file: … } and so on.
struct AddressText {
  using value_type = Secret;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node&, config::Problems&) const;
  value_type dummy() const { return {}; }
  std::string show(const value_type&) const { return ""; }
};

/// The first header of that name (given in lower case), whatever its case, or nullptr.
const std::string* find_header(const Headers& headers, std::string_view name);

/// How long the receiver asks to be left alone, at most an hour.
std::optional<Duration> retry_after(const Headers& headers, const Now& now);

/// What every receiver takes: printable ASCII, '?' for the rest, one line, at most `most` characters.
std::string ascii(std::string_view text, std::size_t most);

/// `text` with each occurrence of `secret` blotted out.
std::string redacted(std::string text, std::string_view secret);

}  // namespace vitald::alerting
