// What the tests of the store share: a folder of their own, and effects with recognisable content.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "alerting/effects.hpp"
#include "config/clock.hpp"

namespace vitald::daemon::testing {

class Folder {
 public:
  Folder() {
    // In memory where that is possible: the store syncs a lot, and no test here depends on a disk.
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    std::string name =
        (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) + "/vitald-store-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Wall at_second(std::int64_t second) { return Wall(std::chrono::seconds(second)); }

inline const Wall a_night = at_second(1'795'303'365);  // 2026-11-21T23:22:45Z

inline alerting::IncidentRecord incident(const std::string& id, const std::string& subject) {
  alerting::IncidentRecord record;
  record.id = id;
  record.subject = subject;
  record.check = "api";
  record.summary = "502 Bad Gateway instead of 200";
  record.opened = a_night;
  record.state = "{}";
  return record;
}

inline alerting::IncidentRecord closed(alerting::IncidentRecord record, Wall at) {
  record.closed = at;
  return record;
}

inline alerting::Notification notification(const std::string& incident, std::uint32_t sequence,
                                           const std::string& receiver = "ops") {
  alerting::Notification message;
  message.id = {incident, sequence, receiver};
  message.check = "api";
  message.summary = "502 Bad Gateway instead of 200";
  message.opened = a_night;
  message.at = a_night;
  return message;
}

inline alerting::CheckRecord check(const std::string& name, const std::string& state) {
  alerting::CheckRecord record;
  record.name = name;
  record.state = state;
  return record;
}

/// A problem of one check: its record, its incident and the message to one receiver.
inline alerting::Effects problem(int number) {
  const std::string id = "incident" + std::to_string(number);
  alerting::Effects effects;
  effects.checks = {check("check" + std::to_string(number), "{\"bad\":1}")};
  effects.incidents = {incident(id, "check:" + std::to_string(number))};
  effects.outbox = {notification(id, 1)};
  return effects;
}

/// The receiver took the message of problem(number).
inline alerting::Effects delivered(int number) {
  alerting::Effects effects;
  effects.settled = {{"incident" + std::to_string(number), 1, "ops"}};
  return effects;
}

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// Stands still. Its time is a real one, since the timers of the loop compare with it.
class StillClock final : public Clock {
 public:
  Now now() const override { return {steady, a_night}; }
  Steady steady = std::chrono::steady_clock::now();
};

}  // namespace vitald::daemon::testing
