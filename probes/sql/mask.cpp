#include "probes/sql/mask.hpp"

#include <algorithm>

#include "probes/foreign_text.hpp"

namespace vitald::probes::sql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
/// Bytes above ASCII are letters of names in both dialects.
bool in_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Masking {
 public:
  Masking(std::string_view text, Dialect dialect, std::size_t most) : text_(text), dialect_(dialect), most_(most) {}

  std::string all() {
    while (at_ < text_.size() && shown_.size() <= most_) step();
    while (shown_.ends_with(' ')) shown_.pop_back();
    return foreign_text(shown_, most_);
  }

 private:
  bool next_is(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool mysql() const { return dialect_ == Dialect::mysql; }

  void step() {
    const char c = text_[at_];
    if (is_blank(c)) return blank(at_ + 1);
    if (next_is("/*")) return comment();
    if (next_is("--") || (mysql() && c == '#')) return blank(std::min(text_.find('\n', at_), text_.size()));
    if (c == '\'' || (mysql() && c == '"')) return quoted(c);
    if (c == '`' || c == '"') return name(c);
    if (!mysql() && c == '$' && dollar()) return;
    if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]) && !after_word()))
      return number();
    if (in_word(c)) return word();
    shown_ += c;
    at_ += 1;
  }

  bool after_word() const { return at_ > 0 && (in_word(text_[at_ - 1]) || text_[at_ - 1] == '`'); }

  /// Goes on at `next`, with one blank however much there was.
  void blank(std::size_t next) {
    if (!shown_.empty() && !shown_.ends_with(' ')) shown_ += ' ';
    at_ = next;
  }

  /// PostgreSQL nests them; an executable one of MySQL (/*! … */) goes as well.
  void comment() {
    std::size_t depth = 0;
    std::size_t i = at_;
    while (i < text_.size()) {
      const std::string_view rest = text_.substr(i);
      if (rest.starts_with("/*") && (depth == 0 || !mysql())) {
        depth += 1;
        i += 2;
      } else if (rest.starts_with("*/")) {
        depth -= 1;
        i += 2;
        if (depth == 0) break;
      } else {
        i += 1;
      }
    }
    blank(i);
  }

  void value(std::size_t next) {
    shown_ += '?';
    at_ = next;
  }
  /// From here on it is not certain what is a value.
  void give_up() {
    shown_ += "? …";
    at_ = text_.size();
  }

  /// Whether a backslash escapes depends on the mode of a session that is not ours (NO_BACKSLASH_ESCAPES,
  /// standard_conforming_strings). Where both readings go on alike it does not matter; otherwise nothing more is shown.
  void quoted(char quote) {
    std::size_t i = at_ + 1;
    while (i < text_.size()) {
      const char c = text_[i];
      if (c == '\\' && i + 1 < text_.size() && text_[i + 1] == quote) return give_up();
      if (c == '\\' && i + 1 < text_.size() && text_[i + 1] == '\\') {
        i += 2;
      } else if (c == quote && i + 1 < text_.size() && text_[i + 1] == quote) {
        i += 2;
      } else if (c == quote) {
        return value(i + 1);
      } else {
        i += 1;
      }
    }
    give_up();
  }

  /// A quoted name is shown as it is.
  void name(char quote) {
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return give_up();
    shown_ += text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
  }

  /// $1 is a parameter and stays; $$…$$ and $tag$…$tag$ are values.
  bool dollar() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && in_word(text_[end]) && text_[end] != '$') end += 1;
    const bool parameter = end > at_ + 1 && is_digit(text_[at_ + 1]);
    if (parameter) {
      shown_ += text_.substr(at_, end - at_);
      at_ = end;
      return true;
    }
    if (end >= text_.size() || text_[end] != '$') return false;
    const std::string_view tag = text_.substr(at_, end + 1 - at_);
    const std::size_t close = text_.find(tag, end + 1);
    if (close == std::string_view::npos) {
      give_up();
    } else {
      value(close + tag.size());
    }
    return true;
  }

  /// 12, 1.5, 1e-3, 0xff, and what MySQL would take for a name that begins with a digit: better too much than too
  /// little.
  void number() {
    std::size_t end = at_;
    while (end < text_.size()) {
      const char c = text_[end];
      const bool exponent = (c == '+' || c == '-') && end > at_ && (text_[end - 1] == 'e' || text_[end - 1] == 'E') &&
                            end + 1 < text_.size() && is_digit(text_[end + 1]);
      if (!in_word(c) && c != '.' && !exponent) break;
      end += 1;
    }
    value(end);
  }

  /// A name or keyword; or the letter in front of a string (x'00ff', E'…', _utf8'…'), which goes with it.
  void word() {
    std::size_t end = at_;
    while (end < text_.size() && in_word(text_[end])) end += 1;
    const bool prefix = end < text_.size() && text_[end] == '\'';
    if (!prefix) shown_ += text_.substr(at_, end - at_);
    at_ = end;
  }

  std::string_view text_;
  Dialect dialect_;
  std::size_t most_;
  std::size_t at_ = 0;
  std::string shown_;
};

}  // namespace

std::string mask_literals(std::string_view statement, Dialect dialect, std::size_t most) {
  return Masking(statement, dialect, most).all();
}

}  // namespace vitald::probes::sql
