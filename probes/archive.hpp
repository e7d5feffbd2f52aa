// Whether compressed bytes decode to their end, as `gzip -t` and `zstd -t` judge it. What they decode to is dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vitald::probes {

enum class Packing { none, gzip, zstd };

/// By the end of the name: .gz, .tgz; .zst, .zstd, .tzst.
Packing packing_of(std::string_view name);

class Archive {
 public:
  virtual ~Archive() = default;
  /// The next bytes. False: nothing more is wanted, since something is wrong.
  virtual bool feed(std::string_view bytes) = 0;
  /// The bytes are over: what is wrong, as in "is corrupt: ITS END IS MISSING", or "".
  virtual std::string end() = 0;
  /// It cannot be decoded within our bounds, whether it is intact or not: why, or "".
  virtual std::string beyond_us() const { return ""; }
  /// Bytes that came out so far.
  std::uint64_t decoded() const { return decoded_; }

 protected:
  std::uint64_t decoded_ = 0;
};

/// nullptr for none. Holds up to 64 KiB for gzip; for zstd as much as the window of the file, 32 MiB at most.
std::unique_ptr<Archive> make_archive(Packing packing);

}  // namespace vitald::probes
