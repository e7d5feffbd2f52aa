// Builds HTML that cannot be broken out of: tags and attribute names are compile-time literals, everything else is
// escaped on its way in, and there is no way to add a raw string (docs/guarantees.md R18).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace vitald::daemon {

/// A string that was a literal in the source; foreign text cannot become one.
class Word {
 public:
  template <std::size_t N>
  consteval Word(const char (&text)[N]) : text_(text, N - 1) {}
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

struct Attribute {
  Word name;
  std::string_view value;
};

class Html {
 public:
  Html& doctype();
  Html& open(Word tag, std::initializer_list<Attribute> attributes = {});
  Html& close(Word tag);
  /// Foreign text: cleaned (alerting::clean, at most `most` bytes) and escaped.
  Html& text(std::string_view foreign, std::size_t most = 500);
  /// open, text, close.
  Html& element(Word tag, std::string_view foreign, std::initializer_list<Attribute> attributes = {});
  /// A link where `address` is http or https; mere text otherwise, so that "javascript:" leads nowhere.
  Html& link(std::string_view address, std::string_view words);

  const std::string& str() const& { return out_; }
  std::string str() && { return std::move(out_); }

 private:
  void escape(std::string_view cleaned);
  std::string out_;
};

}  // namespace vitald::daemon
