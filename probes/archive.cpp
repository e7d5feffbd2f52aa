#include "probes/archive.hpp"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <new>
#include <vector>

namespace vitald::probes {
namespace {

constexpr std::size_t chunk = 64 * 1024;
// `zstd --ultra -20` has it; the levels up to 19 have 8 MiB.
constexpr int largest_window_log = 25;

constexpr const char* cut_off = "its end is missing";

class Gzip final : public Archive {
 public:
  Gzip() {
    constexpr int gzip_only = 15 + 16;
    if (inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc();
  }
  Gzip(const Gzip&) = delete;
  ~Gzip() override { inflateEnd(&stream_); }

  bool feed(std::string_view bytes) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write there
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0 && wrong_.empty()) {
      if (place_ == Place::member) {
        inflate_some();
      } else {
        look_behind();
      }
    }
    return wrong_.empty();
  }

  std::string end() override {
    if (!wrong_.empty()) return wrong_;
    return place_ == Place::member ? cut_off : "";
  }

 private:
  enum class Place { member, behind, padding };

  void inflate_some() {
    stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
    stream_.avail_out = static_cast<uInt>(out_.size());
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    const std::size_t made = out_.size() - stream_.avail_out;
    decoded_ += made;
    started_ = started_ || made > 0;
    if (code == Z_STREAM_END) {
      place_ = Place::behind;
      members_ += 1;
      started_ = false;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      fail(stream_.msg == nullptr ? "" : stream_.msg);
    }
  }

  void fail(const std::string& why) {
    const bool no_header = !started_ && why == "incorrect header check";
    if (no_header && members_ > 0) {
      wrong_ = "there is garbage behind its end";
    } else if (no_header) {
      wrong_ = "it is no gzip file";
    } else {
      wrong_ = "its data are damaged" + (why.empty() ? "" : " (" + why + ")");
    }
  }

  /// Another member may follow (cat a.gz b.gz), or zeros, as tapes pad; anything else `gzip -t` complains of.
  void look_behind() {
    const Bytef next = *stream_.next_in;
    if (next == 0x1f && place_ == Place::behind) {
      inflateReset(&stream_);
      place_ = Place::member;
      return;
    }
    place_ = Place::padding;
    if (next != 0) wrong_ = "there is garbage behind its end";
    stream_.next_in += 1;
    stream_.avail_in -= 1;
  }

  z_stream stream_{};
  std::vector<char> out_ = std::vector<char>(chunk);
  std::string wrong_;
  std::size_t members_ = 0;
  bool started_ = false;  // this member has decoded to something
  Place place_ = Place::member;
};

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

class Zstd final : public Archive {
 public:
  Zstd() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, largest_window_log);
  }

  bool feed(std::string_view bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool more_comes = false;  // the output was full: there may be more without further input
    while ((in.pos < in.size || more_comes) && wrong_.empty() && beyond_us_.empty()) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t code = ZSTD_decompressStream(stream_.get(), &out, &in);
      decoded_ += out.pos;
      if (ZSTD_isError(code)) {
        fail(code);
      } else {
        open_ = code != 0;  // 0: a frame is decoded and flushed to its end
        frames_ += open_ ? 0 : 1;
        more_comes = open_ && out.pos == out.size;
      }
    }
    return wrong_.empty() && beyond_us_.empty();
  }

  std::string end() override {
    if (!wrong_.empty()) return wrong_;
    return open_ || frames_ == 0 ? cut_off : "";
  }

  std::string beyond_us() const override { return beyond_us_; }

 private:
  void fail(std::size_t code) {
    switch (ZSTD_getErrorCode(code)) {
      case ZSTD_error_prefix_unknown:
        wrong_ = frames_ > 0 ? "there is garbage behind its end" : "it is no zstd file";
        return;
      case ZSTD_error_frameParameter_windowTooLarge:
        beyond_us_ = "it wants more than 32 MiB of memory to be decoded (zstd --long or --ultra)";
        return;
      case ZSTD_error_memory_allocation:
        beyond_us_ = "there is no memory to decode it";
        return;
      case ZSTD_error_dictionary_wrong:
        beyond_us_ = "it was made with a dictionary";
        return;
      default:
        wrong_ = std::string("its data are damaged (") + ZSTD_getErrorName(code) + ")";
    }
  }

  std::unique_ptr<ZSTD_DStream, FreeStream> stream_;
  std::vector<char> out_ = std::vector<char>(2 * chunk);
  std::string wrong_, beyond_us_;
  std::size_t frames_ = 0;
  bool open_ = false;
};

}  // namespace

Packing packing_of(std::string_view name) {
  for (const char* ending : {".gz", ".tgz"}) {
    if (name.ends_with(ending)) return Packing::gzip;
  }
  for (const char* ending : {".zst", ".zstd", ".tzst"}) {
    if (name.ends_with(ending)) return Packing::zstd;
  }
  return Packing::none;
}

std::unique_ptr<Archive> make_archive(Packing packing) {
  if (packing == Packing::gzip) return std::make_unique<Gzip>();
  if (packing == Packing::zstd) return std::make_unique<Zstd>();
  return nullptr;
}

}  // namespace vitald::probes
