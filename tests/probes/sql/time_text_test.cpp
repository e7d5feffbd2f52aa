#include "probes/sql/time_text.hpp"

#include <date/tz.h>
#include <gtest/gtest.h>

#include "config/units.hpp"

namespace vitald::probes::sql {
namespace {

std::string read(std::string_view text, const char* zone = nullptr) {
  const auto time = read_time(text, zone == nullptr ? nullptr : date::locate_zone(zone));
  return time ? rfc3339(*time) : "none";
}

TEST(TimeText, ReadsWhatDatabasesPrint) {
  EXPECT_EQ(read("2026-11-22 02:13:41"), "2026-11-22T02:13:41.000Z");
  EXPECT_EQ(read("2026-11-22T02:13:41.5Z"), "2026-11-22T02:13:41.500Z");
  EXPECT_EQ(read("2026-11-22 02:13:41.123456789123"), "2026-11-22T02:13:41.123Z");
  EXPECT_EQ(read("2026-11-22 02:13:41.25+03"), "2026-11-21T23:13:41.250Z");
  EXPECT_EQ(read("2026-11-22 02:13:41-03:30"), "2026-11-22T05:43:41.000Z");
  EXPECT_EQ(read("2026-11-22 02:13:41 +0300"), "2026-11-21T23:13:41.000Z");
  EXPECT_EQ(read("2026-11-22 02:13"), "2026-11-22T02:13:00.000Z");
  EXPECT_EQ(read("2026-11-22"), "2026-11-22T00:00:00.000Z");
}

TEST(TimeText, ReadsSecondsAndMilliseconds) {
  EXPECT_EQ(read("1795313621"), "2026-11-22T02:13:41.000Z");
  EXPECT_EQ(read("1795313621.5"), "2026-11-22T02:13:41.500Z");
  EXPECT_EQ(read("1795313621500"), "2026-11-22T02:13:41.500Z");
  EXPECT_EQ(read("0"), "1970-01-01T00:00:00.000Z");
}

TEST(TimeText, AZoneCountsWhereNoOffsetIsSaid) {
  EXPECT_EQ(read("2026-07-01 12:00:00", "Europe/Berlin"), "2026-07-01T10:00:00.000Z");
  EXPECT_EQ(read("2026-07-01 12:00:00+00", "Europe/Berlin"), "2026-07-01T12:00:00.000Z");
  EXPECT_EQ(read("2026-03-29 02:30:00", "Europe/Berlin"), "2026-03-29T01:00:00.000Z");  // does not exist
  EXPECT_EQ(read("2026-10-25 02:30:00", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");  // exists twice
}

TEST(TimeText, TakesNothingElse) {
  for (const auto* bad : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-11-22 25:00", "2026-11-22 02:60",
                          "2026-11-22 02:13:61", "2026-11-22x", "2026-11-22 02:13:41 PST", "0000-00-00 00:00:00",
                          "2026-11-22 02:13:41+", "2026-11-22 02:13:41+03:xx", "1e300", "-inf", "nan", "22.11.2026"}) {
    EXPECT_EQ(read(bad), "none") << bad;
  }
}

}  // namespace
}  // namespace vitald::probes::sql
