#include "config/units.hpp"

#include <gtest/gtest.h>

#include <clocale>

namespace vitald {
namespace {

using namespace std::chrono_literals;

TEST(Units, durations_are_read_with_their_unit) {
  const std::pair<const char*, Duration> table[] = {
      {"30s", 30s},
      {"5m", 5min},
      {"200ms", 200ms},
      {"1.5h", 90min},
      {"1h30m", 90min},
      {"0s", 0s},
      {"2w", 14 * 24h},
      {"1d", 24h},
      {"10us", 10us},
      {"7ns", 7ns},
      {"0.5ms", 500us},
      {"3650d", 3650 * 24h},
      {"3649d23h59m59s1ns", 3650 * 24h - 1s + 1ns},
  };
  for (const auto& [text, length] : table) {
    const auto read = parse_duration(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, length) << text;
  }
}

TEST(Units, durations_without_sense_are_refused) {
  for (const char* text :
       {"",    "30",  "s",    "-5s", "5 s", "5S",   "1h 30m", "soon", "1e3s", "3651d", "99999999999999999999w",
        "1.s", ".5s", "5sec", "inf", "nan", "0x5s", "5s ",    "1,5s", "5m30"}) {
    const auto read = parse_duration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.failure().what.find("expected a duration"), 0u) << read.failure().what;
  }
}

TEST(Units, a_bare_number_names_the_units) {
  EXPECT_EQ(parse_duration("30").failure().what,
            "expected a duration such as 30s (units: ns, us, ms, s, m, h, d, w), found '30'");
}

TEST(Units, sizes) {
  const std::pair<const char*, std::uint64_t> table[] = {
      {"10GiB", 10ull << 30}, {"512B", 512}, {"1kB", 1000}, {"1.5KiB", 1536}, {"2TB", 2'000'000'000'000}, {"0B", 0}};
  for (const auto& [text, bytes] : table) {
    const auto read = parse_bytes(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, bytes) << text;
  }
  for (const char* text : {"", "10", "10G", "10gib", "10 GiB", "-1B", "KB", "1KB", "99999999999TiB"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(Units, ratios_and_numbers) {
  EXPECT_DOUBLE_EQ(*parse_ratio("85%"), 0.85);
  EXPECT_DOUBLE_EQ(*parse_ratio("0.5%"), 0.005);
  for (const char* text : {"85", "%", "-5%", "85 %", "85%%"}) EXPECT_FALSE(parse_ratio(text)) << text;
  EXPECT_DOUBLE_EQ(*parse_number("500"), 500);
  EXPECT_DOUBLE_EQ(*parse_number("-1.25"), -1.25);
  EXPECT_DOUBLE_EQ(*parse_number("1e6"), 1e6);
  for (const char* text : {"", "-", "0x10", "inf", "nan", "1e999", "1,5", "1 ", "+1", "5e", "--1"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

TEST(Units, a_locale_with_decimal_commas_changes_nothing) {
  const char* old = std::setlocale(LC_ALL, nullptr);
  const std::string before = old;
  std::setlocale(LC_ALL, "de_DE.UTF-8");
  EXPECT_DOUBLE_EQ(*parse_number("1.5"), 1.5);
  EXPECT_EQ(say_number(3.5), "3.5");
  std::setlocale(LC_ALL, before.c_str());
}

TEST(Units, durations_are_said) {
  const std::pair<Duration, const char*> table[] = {
      {0s, "0 s"},        {350us, "350 us"},           {38ms, "38 ms"},
      {1500us, "1.5 ms"}, {1200ms, "1.2 s"},           {12s, "12 s"},
      {59600ms, "1 min"}, {372s, "6 min 12 s"},        {3h + 5min, "3 h 5 min"},
      {1h, "1 h"},        {12 * 24h + 4h, "12 d 4 h"}, {999900us, "1 s"},
      {9990ms, "10 s"},   {23h + 59min + 45s, "1 d"},  {-2s, "-2 s"},
  };
  for (const auto& [length, text] : table) EXPECT_EQ(say_duration(length), text);
  EXPECT_FALSE(say_duration(Duration::min()).empty());
}

TEST(Units, sizes_numbers_and_ratios_are_said) {
  EXPECT_EQ(say_bytes(512), "512 B");
  EXPECT_EQ(say_bytes(1.2 * 1024 * 1024 * 1024), "1.2 GiB");
  EXPECT_EQ(say_bytes(1024.0 * 1024 - 1), "1 MiB");
  EXPECT_EQ(say_bytes(150.0 * 1024), "150 KiB");
  const std::pair<double, const char*> numbers[] = {
      {0.93, "0.93"},   {1250, "1250"},      {3.5, "3.5"},   {0, "0"},        {-2, "-2"},
      {1250.4, "1250"}, {0.01234, "0.0123"}, {99.96, "100"}, {12.34, "12.3"}, {123456789, "123456789"}};
  for (const auto& [value, text] : numbers) EXPECT_EQ(say_number(value), text);
  EXPECT_EQ(say_ratio(0.93), "93 %");
  EXPECT_EQ(say_ratio(0.934), "93.4 %");
}

TEST(Units, times_are_said_in_utc) {
  const Wall at =
      Wall(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21).time_since_epoch() + 2h + 13min + 41s + 7ms);
  EXPECT_EQ(say_time(at), "02:13:41 UTC");
  EXPECT_EQ(say_time(at, true), "2026-11-21 02:13:41 UTC");
  EXPECT_EQ(rfc3339(at), "2026-11-21T02:13:41.007Z");
  EXPECT_EQ(rfc3339(Wall(-1ms)), "1969-12-31T23:59:59.999Z");
}

TEST(Units, what_is_written_is_read_back) {
  for (const Duration length : {Duration(0), Duration(30s), Duration(5min), Duration(200ms), Duration(90s),
                                Duration(24h), Duration(1ns), Duration(1500us)}) {
    EXPECT_EQ(*parse_duration(config_duration(length)), length) << config_duration(length);
  }
  EXPECT_EQ(config_duration(90s), "90s");
  EXPECT_EQ(config_duration(5min), "5m");
  EXPECT_EQ(config_duration(48h), "2d");
}

}  // namespace
}  // namespace vitald
