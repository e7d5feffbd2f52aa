#include "probes/archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <stdexcept>

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;

std::string gzipped(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstandard(const std::string& text, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (window_log > 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  // Begun before the end is known, so that the frame declares the window and not the size of the content.
  ZSTD_compressStream2(context, &to, &in, ZSTD_e_continue);
  ZSTD_compressStream2(context, &to, &in, ZSTD_e_end);
  out.resize(to.pos);
  ZSTD_freeCCtx(context);
  return out;
}

struct Judged {
  std::string wrong;
  std::string beyond;
  std::uint64_t decoded = 0;
};

Judged judged(Packing packing, const std::string& bytes, std::size_t piece = 1000) {
  const auto archive = make_archive(packing);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (!archive->feed(std::string_view(bytes).substr(at, piece))) break;
  }
  return {archive->end(), archive->beyond_us(), archive->decoded()};
}

/// Text that does not compress to next to nothing.
std::string dump(std::size_t size) {
  std::string text;
  for (unsigned number = 1; text.size() < size; number = number * 1664525 + 1013904223) text += std::to_string(number);
  return text;
}

class EveryPacking : public ::testing::TestWithParam<Packing> {
 protected:
  static std::string packed(const std::string& text) {
    return GetParam() == Packing::gzip ? gzipped(text) : zstandard(text);
  }
};

TEST_P(EveryPacking, AWholeOneIsIntactInWhateverPieces) {
  const std::string text = dump(300'000), bytes = packed(text);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{65536}, bytes.size()}) {
    const auto seen = judged(GetParam(), bytes, piece);
    EXPECT_EQ(seen.wrong, "") << piece;
    EXPECT_EQ(seen.decoded, text.size()) << piece;
  }
}

TEST_P(EveryPacking, SeveralInARowAreOne) {
  const auto seen = judged(GetParam(), packed("one") + packed("two") + packed(""));
  EXPECT_EQ(seen.wrong, "");
  EXPECT_EQ(seen.decoded, 6u);
}

TEST_P(EveryPacking, NothingWellPackedDecodesToNothing) {
  const auto seen = judged(GetParam(), packed(""));
  EXPECT_EQ(seen.wrong, "");
  EXPECT_EQ(seen.decoded, 0u);
}

TEST_P(EveryPacking, WhereverItIsCutItsEndIsMissing) {
  const std::string bytes = packed(dump(300));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(judged(GetParam(), bytes.substr(0, length)).wrong, "its end is missing") << length;
  }
}

TEST_P(EveryPacking, ADamagedByteIsFound) {
  const std::string whole = packed(dump(20'000));
  std::string bytes = whole;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x55);
  EXPECT_THAT(judged(GetParam(), bytes).wrong, HasSubstr("its data are damaged ("));
  bytes = whole;
  bytes[bytes.size() - (GetParam() == Packing::gzip ? 6 : 2)] ^= 0x55;  // in the check sum
  EXPECT_THAT(judged(GetParam(), bytes).wrong, HasSubstr("its data are damaged ("));
}

TEST_P(EveryPacking, AnotherKindOfFileIsNone) {
  EXPECT_THAT(judged(GetParam(), "-- MySQL dump 10.19\n").wrong, HasSubstr("it is no "));
}

TEST_P(EveryPacking, WhatFollowsTheEndIsGarbage) {
  EXPECT_EQ(judged(GetParam(), packed("one") + "garbage").wrong, "there is garbage behind its end");
}

INSTANTIATE_TEST_SUITE_P(Archive, EveryPacking, ::testing::Values(Packing::gzip, Packing::zstd),
                         [](const auto& each) { return each.param == Packing::gzip ? "gzip" : "zstd"; });

TEST(Archive, TapesPadWithZeros) {
  EXPECT_EQ(judged(Packing::gzip, gzipped("one") + std::string(3000, '\0')).wrong, "");
  EXPECT_NE(judged(Packing::gzip, gzipped("one") + std::string(3000, '\0') + "x").wrong, "");
  EXPECT_NE(judged(Packing::gzip, gzipped("one") + '\0' + gzipped("two")).wrong, "");
}

TEST(Archive, AWindowBeyondOurMemoryIsNoFaultOfTheFile) {
  const std::string text = dump(10'000);
  EXPECT_EQ(judged(Packing::zstd, zstandard(text, 25)).beyond, "");
  const auto seen = judged(Packing::zstd, zstandard(text, 26));
  EXPECT_THAT(seen.beyond, HasSubstr("32 MiB"));
}

TEST(Archive, TheNameSaysHowItIsPacked) {
  EXPECT_EQ(packing_of("/b/db.sql.gz"), Packing::gzip);
  EXPECT_EQ(packing_of("files.tgz"), Packing::gzip);
  EXPECT_EQ(packing_of("db.zst"), Packing::zstd);
  EXPECT_EQ(packing_of("db.sql"), Packing::none);
  EXPECT_EQ(packing_of("gz"), Packing::none);
  EXPECT_EQ(make_archive(Packing::none), nullptr);
}

}  // namespace
}  // namespace vitald::probes
