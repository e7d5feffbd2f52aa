#include "probes/mysql_watch.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vitald::probes::mysql {
namespace {

using Fault = Watch::Fault;

std::string packet(const std::string& payload) {
  const auto size = payload.size();
  std::string made{static_cast<char>(size & 255), static_cast<char>(size >> 8 & 255),
                   static_cast<char>(size >> 16 & 255), '\0'};
  return made + payload;
}

std::string greeting(unsigned capabilities) {
  std::string payload(
      "\x0a"
      "8.0.36\0"
      "\1\0\0\0"
      "abcdefgh\0",
      1 + 7 + 4 + 9);
  payload += static_cast<char>(capabilities & 255);
  payload += static_cast<char>(capabilities >> 8 & 255);
  return packet(payload + std::string(30, 'x'));
}

Fault in_pieces(Watch& watch, const std::string& bytes, std::size_t size) {
  Fault fault = Fault::none;
  for (std::size_t at = 0; at < bytes.size() && fault == Fault::none; at += size)
    fault = watch.see(std::string_view(bytes).substr(at, size));
  return fault;
}

/// A watch over a connection that has logged in.
Watch logged_in() {
  Watch watch(false);
  EXPECT_EQ(watch.see(greeting(0x0800) + packet(std::string(7, '\0'))), Fault::none);
  return watch;
}

TEST(MySqlWatch, WantsTlsInTheGreetingHoweverItComes) {
  for (const std::size_t size : {1u, 2u, 7u, 1000u}) {
    Watch with(true), without(true), indifferent(false);
    EXPECT_EQ(in_pieces(with, greeting(0x0801), size), Fault::none);
    EXPECT_EQ(in_pieces(without, greeting(0x0401), size), Fault::no_tls);
    EXPECT_EQ(in_pieces(indifferent, greeting(0x0401), size), Fault::none);
  }
}

TEST(MySqlWatch, AGreetingWithoutCapabilitiesHasNoTls) {
  Watch old(true), endless(true);
  EXPECT_EQ(old.see(packet(std::string("\x0a"
                                       "4.0\0",
                                       5))),
            Fault::no_tls);
  EXPECT_NE(endless.see(packet(std::string(100'000, 'v'))), Fault::none);
}

TEST(MySqlWatch, AnErrorInsteadOfAGreetingIsTheLibrarysToTell) {
  Watch watch(true);
  EXPECT_EQ(watch.see(packet("\xff\x10\x04Too many connections")), Fault::none);
}

TEST(MySqlWatch, TakesOrdinaryAnswers) {
  Watch watch = logged_in();
  const std::string fine(7, '\0');
  const std::string row = packet("\xfe row that begins like a length");
  for (const std::string& answer : {packet(fine) + row, packet("\x01") + row, packet("\xfa") + row,
                                    packet("\xfc\xff\x0f") + row, packet("\xff\x48\x04no")}) {
    for (const std::size_t size : {1u, 1000u}) {
      watch.expect_answer(1000);
      EXPECT_EQ(in_pieces(watch, answer, size), Fault::none);
    }
  }
}

TEST(MySqlWatch, TakesNoMoreColumnsThanAServerCanHave) {
  for (const char* count : {"\xfd\x00\x00\x01", "\xfe\x00\x00\x00\x00\x01"}) {
    Watch watch = logged_in();
    watch.expect_answer(1000);
    EXPECT_EQ(watch.see(packet(count)), Fault::too_much);
  }
}

TEST(MySqlWatch, IsNotDeceivedByAReportOfProgress) {
  Watch watch = logged_in();
  watch.expect_answer(1000);
  EXPECT_EQ(watch.see(packet("\xff\xff\xff progress") + packet("\xff\xff\xff progress")), Fault::none);
  EXPECT_EQ(watch.see(packet("\xfe\x01\x01\x01\x01\x01\x01\x01\x01")), Fault::too_much);
}

TEST(MySqlWatch, GivesNoFile) {
  Watch watch = logged_in();
  watch.expect_answer(1000);
  EXPECT_EQ(watch.see(packet("\xfb/etc/passwd")), Fault::asked_for_file);
}

TEST(MySqlWatch, CountsTheBytesOfEachAnswer) {
  Watch watch = logged_in();
  watch.expect_answer(1000);
  EXPECT_EQ(watch.see(packet(std::string(900, 'x'))), Fault::none);
  EXPECT_EQ(watch.received(), 904u);
  watch.expect_answer(1000);
  EXPECT_EQ(watch.see(packet(std::string(900, 'x'))), Fault::none);
  EXPECT_EQ(watch.see(packet(std::string(100, 'x'))), Fault::too_much);

  Watch announced = logged_in();
  announced.expect_answer(1000);
  EXPECT_EQ(announced.see(std::string("\xff\xff\xff\x01", 4)), Fault::too_much);
}

}  // namespace
}  // namespace vitald::probes::mysql
