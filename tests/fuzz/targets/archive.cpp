// Compressed files: the first byte says how they are packed and in which pieces they come.
#include "probes/archive.hpp"

#include <algorithm>

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

struct Read {
  std::string wrong, beyond;
  std::uint64_t decoded = 0;
};

Read read(probes::Packing packing, std::string_view bytes, std::size_t piece) {
  const auto archive = probes::make_archive(packing);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (!archive->feed(bytes.substr(0, piece))) break;
  }
  return {archive->end(), archive->beyond_us(), archive->decoded()};
}

}  // namespace

void archive(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 64 * 1024) return;
  const auto packing = data[0] % 2 == 0 ? probes::Packing::gzip : probes::Packing::zstd;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Read whole = read(packing, bytes, bytes.size());
  const Read pieces = read(packing, bytes, data[0] / 2 % 61 + 1u);
  must(whole.wrong.empty() == pieces.wrong.empty() || !whole.beyond.empty() || !pieces.beyond.empty(),
       "the same judgement in whatever pieces it comes");
  must(!whole.wrong.empty() || !whole.beyond.empty() || whole.decoded == pieces.decoded,
       "an intact one decodes to as much in whatever pieces it comes");
}

}  // namespace vitald::fuzz
