// One of the five fields of a crontab's line: "*/5", "1-5", "mon,fri".
#pragma once

#include <bitset>
#include <span>
#include <string_view>

#include "config/result.hpp"

namespace vitald {

struct CronFieldKind {
  std::string_view name;  // for people: "minute"
  int low, high;
  std::span<const std::string_view> words;  // of low, low + 1, …; empty where there are only numbers
};

struct CronField {
  std::bitset<60> bits;
  bool star = false;  // begins with '*', steps or not, as cron(8) has it
};

Result<CronField> parse_cron_field(std::string_view text, const CronFieldKind& kind);

}  // namespace vitald
