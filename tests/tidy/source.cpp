#include "tests/tidy/source.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/source_root.hpp"

namespace vitald::tidy {
namespace {

/// Walks over text, copying code and blanking the rest; newlines stay, so that lines keep their numbers.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_(text), code_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        blank_until(std::min(text_.size(), text_.find('\n', at_)));
      } else if (starts("/*")) {
        blank_until(end_of("*/", at_ + 2));
      } else if (starts("R\"") && !follows_word()) {
        const std::string delimiter(text_.substr(at_ + 2, text_.find('(', at_) - at_ - 2));
        blank_until(end_of(")" + delimiter + "\"", at_ + 2));
      } else if (text_[at_] == '"') {
        blank_until(end_of_literal('"'));
      } else if (text_[at_] == '\'' && !follows_word()) {  // 1'000 is a number
        blank_until(end_of_literal('\''));
      } else {
        ++at_;
      }
    }
    return code_;
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool follows_word() const { return at_ > 0 && is_word_character(text_[at_ - 1]); }
  std::size_t end_of(std::string_view what, std::size_t from) const {
    const std::size_t found = text_.find(what, from);
    return found == std::string_view::npos ? text_.size() : found + what.size();
  }
  std::size_t end_of_literal(char quote) const {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') end += text_[end] == '\\' ? 2u : 1u;
    return std::min(text_.size(), end + 1);
  }
  void blank_until(std::size_t end) {
    for (; at_ < end; ++at_) {
      if (text_[at_] != '\n') code_[at_] = ' ';
    }
  }

  std::string_view text_;
  std::string code_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_word_character(char each) {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') || each == '_';
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

Source::Source(std::string given_path, std::string given_text)
    : path(std::move(given_path)), text(std::move(given_text)), code(Blanker(text).run()) {}

int Source::line_of(std::size_t at) const {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size()));
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}

std::vector<std::pair<std::string, int>> Source::includes() const {
  std::vector<std::pair<std::string, int>> found;
  for (std::size_t at = code.find("#include"); at != std::string::npos; at = code.find("#include", at + 1)) {
    const std::string what = trimmed(std::string_view(text).substr(at + 8, text.find('\n', at) - at - 8));
    const std::size_t end = what.find_first_of(what.starts_with('<') ? ">" : "\"", 1);
    const std::string name = what.substr(0, end == std::string::npos ? end : end + 1);
    found.emplace_back(name.starts_with('"') ? name.substr(1, name.size() - 2) : name, line_of(at));
  }
  return found;
}

std::vector<std::size_t> Source::find_word(std::string_view word) const {
  std::vector<std::size_t> found;
  for (std::size_t at = code.find(word); at != std::string::npos; at = code.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool starts = at == 0 || !is_word_character(code[at - 1]) || !is_word_character(word.front());
    const bool ends = end >= code.size() || !is_word_character(code[end]) || !is_word_character(word.back());
    if (starts && ends) found.push_back(at);
  }
  return found;
}

std::vector<Source> source_tree() {
  const std::filesystem::path top = tests::source_root();
  std::vector<Source> sources;
  for (const char* folder : {"config", "alerting", "rehearsal", "probes", "daemon", "tests"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top / folder)) {
      const auto extension = entry.path().extension();
      if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".hpp")) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::string text(std::istreambuf_iterator<char>(in), {});
      sources.emplace_back(entry.path().lexically_relative(top).generic_string(), std::move(text));
    }
  }
  return sources;
}

}  // namespace vitald::tidy
