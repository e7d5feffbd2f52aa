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

/// A thousand checks at once: those that were not told one by one.
inline Notification storm_problem() {
  Notification note;
  note.id = {"s7v3x7m2q4t8b6n1c5d0", 1, "ops"};
  note.severity = Severity::p0;
  note.status = Status::critical;
  note.instance = "web-1";
  note.check = "further checks";
  note.probe = "vitald";
  note.summary = "998 problems: shop 502 Bad Gateway instead of 200, 586 x no answer, 411 x connection refused";
  note.evidence = {{"shop", "P0 502 Bad Gateway instead of 200"},
                   {"P1 586 x no answer", "web-401, web-402, web-403, web-404 and 582 more"},
                   {"P2 411 x connection refused", "not named here"}};
  note.opened = opened();
  note.at = opened() + std::chrono::seconds(40);
  return note;
}

inline Notification storm_recovery() {
  Notification note = storm_problem();
  note.id.sequence = 6;
  note.kind = NotificationKind::recovery;
  note.status = Status::ok;
  note.summary = "all 998 problems are over";
  note.evidence.clear();
  note.at = opened() + std::chrono::hours(1);
  return note;
}

inline Notification daily_digest() {
  Notification note;
  note.id = {"d1g3x7m2q4t8b6n1c5d0", 1, "ops"};
  note.kind = NotificationKind::digest;
  note.severity = Severity::p3;
  note.status = Status::warning;
  note.instance = "web-1";
  note.check = "digest";
  note.probe = "vitald";
  note.summary = "1 open, 2 came and went";
  note.evidence = {{"Open", "P3 certificate - expires in 20 days, since 2026-11-20 02:13:56 UTC, acknowledged by ali"},
                   {"Came and went",
                    "P3 logs - 17 errors in a minute, 2026-11-20 11:13:56 UTC, for 6 min 12 s\n"
                    "P3 root-fs - used 83 % of / (limit 80 %), 2026-11-21 01:13:56 UTC, for 58 s"}};
  note.opened = note.at = opened() + std::chrono::hours(7);
  return note;
}

}  // namespace vitald::alerting::samples
