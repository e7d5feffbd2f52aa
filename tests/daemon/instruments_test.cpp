#include "daemon/instruments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/version.hpp"
#include "tests/support/promtool.hpp"

namespace vitald::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(Instruments, CountWhatTheyAreTold) {
  Instruments instruments;
  instruments.probe_ran("http", 38ms);
  instruments.probe_ran("http", 3ms);
  instruments.schedule_lag(1500us);
  instruments.notification("ops", "accepted");
  instruments.notification("ops", "accepted");
  instruments.notification("ops", "refused");
  instruments.outbox("ops", 3, 90s);
  instruments.outbox("mail", 1, 200s);
  instruments.incidents_open(Severity::p0, 2);
  instruments.slots_missed(4);
  instruments.reload(true, Wall(1795262400500ms));
  const std::string text = instruments.serialize();
  EXPECT_THAT(text, HasSubstr("vitald_probe_duration_seconds_count{probe=\"http\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("vitald_probe_duration_seconds_bucket{probe=\"http\",le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vitald_schedule_lag_seconds_bucket{le=\"0.001\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("vitald_schedule_lag_seconds_bucket{le=\"0.002\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{outcome=\"accepted\",receiver=\"ops\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("{outcome=\"refused\",receiver=\"ops\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vitald_outbox_pending{receiver=\"ops\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("vitald_outbox_oldest_age_seconds 200\n"));
  EXPECT_THAT(text, HasSubstr("vitald_incidents_open{severity=\"P0\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("vitald_incidents_open{severity=\"P3\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("vitald_schedule_missed_slots_total 4\n"));
  EXPECT_THAT(text, HasSubstr("vitald_config_last_reload_success 1\n"));
  EXPECT_THAT(text, HasSubstr("vitald_config_last_reload_timestamp_seconds 1795262400.5\n"));
  EXPECT_THAT(text, HasSubstr("version=\"" + std::string(version()) + "\"} 1\n"));
}

TEST(Instruments, ForgetTheAgeOfAnEmptyOutbox) {
  Instruments instruments;
  instruments.outbox("ops", 3, 90s);
  instruments.outbox("ops", 0, 90s);
  EXPECT_THAT(instruments.serialize(), HasSubstr("vitald_outbox_oldest_age_seconds 0\n"));
}

double value_of(const std::string& text, const std::string& metric) {
  const auto at = text.find("\n" + metric + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + metric.size() + 2));
}

TEST(Instruments, ReadTheProcess) {
  const std::string text = Instruments().serialize();
  const double resident = value_of(text, "process_resident_memory_bytes");
  EXPECT_GT(resident, 1e6);
  EXPECT_GT(value_of(text, "process_virtual_memory_bytes"), resident);
  EXPECT_GE(value_of(text, "process_cpu_seconds_total"), 0);
  EXPECT_GE(value_of(text, "process_open_fds"), 3);
  EXPECT_GE(value_of(text, "process_max_fds"), value_of(text, "process_open_fds"));
  EXPECT_GT(value_of(text, "process_start_time_seconds"), 1.6e9);
}

TEST(Instruments, PleasePrometheus) {
  Instruments instruments;
  instruments.probe_ran("http", 38ms);
  instruments.notification("ops \"and\" more\\", "accepted");
  instruments.outbox("ops", 1, 1s);
  const auto verdict = promtool(instruments.serialize());
  if (!verdict) GTEST_SKIP() << "promtool is not installed";
  EXPECT_EQ(verdict->exit, 0) << verdict->says;
}

}  // namespace
}  // namespace vitald::daemon
