#include "probes/net/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace vitald::net {
namespace {

constexpr int gzip_or_zlib = 15 + 32;
constexpr int raw_deflate = -15;

/// "deflate" means zlib's wrapping (RFC 9110 section 8.4.1.2), but many servers send the bare stream. A zlib header is
/// recognised by its method nibble and check bits (RFC 1950 section 2.2), gzip by its magic number.
int window_bits(std::string_view start) {
  const auto first = static_cast<unsigned char>(start[0]);
  const auto second = start.size() > 1 ? static_cast<unsigned char>(start[1]) : 0U;
  const bool gzip = first == 0x1f;
  const bool zlib = (first & 0x0f) == 8 && (start.size() == 1 || (first * 256U + second) % 31 == 0);
  return gzip || zlib ? gzip_or_zlib : raw_deflate;
}

}  // namespace

struct Inflater::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (started) ::inflateEnd(&stream);
  }
  z_stream stream{};
  std::array<char, slice_size> slice;
  bool started = false;
  bool member_over = false;
};

Inflater::Inflater() : state_(new State) {}
Inflater::~Inflater() = default;

Inflater::Step Inflater::step(std::string_view& input, std::string& out) {
  auto& stream = state_->stream;
  if (!state_->started) {
    if (input.empty()) return Step::need_input;
    if (::inflateInit2(&stream, window_bits(input)) != Z_OK) throw std::bad_alloc();
    state_->started = true;
  }
  if (state_->member_over) {
    // RFC 1952 section 2.2: members may follow each other. Anything else behind the last one is padding.
    if (input.empty() || static_cast<unsigned char>(input[0]) != 0x1f) return Step::finished;
    if (::inflateReset(&stream) != Z_OK) return Step::broken;
    state_->member_over = false;
  }
  const auto offered = static_cast<uInt>(std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = offered;
  stream.next_out = reinterpret_cast<Bytef*>(state_->slice.data());
  stream.avail_out = static_cast<uInt>(slice_size);
  const int status = ::inflate(&stream, Z_NO_FLUSH);
  input.remove_prefix(offered - stream.avail_in);
  out.append(state_->slice.data(), slice_size - stream.avail_out);
  if (status == Z_STREAM_END) {
    state_->member_over = true;
    return input.empty() ? Step::finished : Step::more_output;
  }
  if (status != Z_OK && status != Z_BUF_ERROR) return Step::broken;
  return stream.avail_out == 0 ? Step::more_output : Step::need_input;
}

}  // namespace vitald::net
