#include "probes/file_text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <utility>

#include "probes/foreign_text.hpp"
#include "probes/log_lines.hpp"

namespace vitald::probes::file {
namespace {

constexpr std::size_t most_forbidden = 8;

struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

bool is_comment(std::string_view line, const std::string& mark) {
  if (mark.empty()) return false;
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return line.starts_with(mark);
}

}  // namespace

struct Examination::State {
  explicit State(Wanted wanted_)
      : wanted(std::move(wanted_)), lines([this](std::string_view line) { take(line); }, false) {
    text.contained.resize(wanted.contains.size());
    EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  }

  void take(std::string_view line) {
    text.lines += 1;
    if (is_comment(line, wanted.comment)) return;
    for (std::size_t i = 0; i < wanted.contains.size(); ++i) {
      if (!text.contained[i] && matches(*wanted.contains[i], line)) text.contained[i] = true;
    }
    for (std::size_t i = 0; i < wanted.forbidden.size(); ++i) {
      if (!matches(*wanted.forbidden[i], line)) continue;
      text.forbidden_in_all += 1;
      if (text.forbidden.size() < most_forbidden) text.forbidden.push_back({text.lines, i, foreign_text(line, 160)});
      return;
    }
  }

  Wanted wanted;
  Text text;
  LogLines lines;
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest{EVP_MD_CTX_new()};
};

Examination::Examination(Wanted wanted) : state_(std::make_unique<State>(std::move(wanted))) {}
Examination::~Examination() = default;

void Examination::feed(std::string_view bytes) {
  EVP_DigestUpdate(state_->digest.get(), bytes.data(), bytes.size());
  state_->lines.feed(bytes);
}

Text Examination::finish() {
  state_->lines.finish();
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned count = 0;
  EVP_DigestFinal_ex(state_->digest.get(), bytes.data(), &count);
  state_->text.sha256 = hexadecimal({reinterpret_cast<const char*>(bytes.data()), count});
  return std::move(state_->text);
}

}  // namespace vitald::probes::file
