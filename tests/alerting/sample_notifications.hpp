// Notifications that the tests of the voice, the notifiers and the queue share.
#pragma once

#include <string>
#include <utility>

#include "alerting/notification.hpp"

namespace vitald::alerting::samples {

/// 2026-11-21 02:13:56 UTC.
inline Wall opened() {
  return Wall(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::seconds(2 * 3600 + 13 * 60 + 56));
}

inline Notification api_problem() {
  Notification note;
  note.id = {"k3v9x7m2q4t8b6n1c5d0", 1, "ops"};
  note.kind = NotificationKind::problem;
  note.severity = Severity::p0;
  note.status = Status::critical;
  note.instance = "web-1";
  note.check = "api-health";
  note.probe = "http";
  note.labels = {{"service", "api"}, {"team", "web"}};
  note.summary = "502 Bad Gateway instead of 200";
  note.cause = "php-fpm stopped (systemd: failed, exit 255) at 02:13:41 UTC";
  note.affected = {"frontend", "login"};
  note.confirmed_by = "4 probes over 30 s";
  note.evidence = {
      {"request_id", "7f3c91d2"},
      {"timing", "connect 1 ms, first byte 12 ms"},
      {"nginx error log", "connect() to unix:/run/php/php8.2-fpm.sock failed (2: No such file or directory)"}};
  note.runbook = "https://wiki.example.com/runbook#72";
  note.opened = opened();
  note.at = opened() + std::chrono::seconds(30);
  return note;
}

inline Notification api_recovery() {
  Notification note = api_problem();
  note.id.sequence = 2;
  note.kind = NotificationKind::recovery;
  note.status = Status::ok;
  note.summary = "200 in 38 ms";
  note.cause = "php-fpm";
  note.affected.clear();
  note.confirmed_by.clear();
  note.evidence.clear();
  note.at = opened() + std::chrono::seconds(6 * 60 + 12);
  return note;
}

/// The least that the engine may hand over.
inline Notification bare_problem() {
  Notification note;
  note.id = {"b4r3x7m2q4t8b6n1c5d0", 1, "ops"};
  note.severity = Severity::p2;
  note.status = Status::warning;
  note.instance = "web-1";
  note.check = "root-fs";
  note.probe = "disk";
  note.summary = "used 83 % of / (limit 80 %)";
  note.opened = note.at = opened();
  return note;
}

}  // namespace vitald::alerting::samples
