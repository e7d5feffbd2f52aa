// How good the alerts are, by number: traces of a kind of trouble, the engine with a plan of confirmation, and the
// truth to compare with. Precision, recall, false pages for each check and month, and how long detection took.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alerting/rules.hpp"

namespace vitald::sim {

/// What happens to the probes of one kind of trace; real outages happen in all of them.
enum class Trouble {
  nothing,      // outages only
  independent,  // 1 % of all probes are lost, each by itself
  bursts,       // for 3 s every 10 min on average, 60 % of all probes are lost; to each check by itself
  flaps,        // for 5 to 30 min once a day a target is up 4 s and down 4 s by turns: a page is right, none is owed
  partial,      // once a day the network between is gone for 5 to 25 s, for a third of all checks at a time
};
std::string_view to_string(Trouble trouble);

struct Plan {
  std::string name;
  alerting::Confirmation confirm;
};
/// `fast`, `calm`, and the plans to compare them with.
std::vector<Plan> plans();

struct Extent {
  int checks = 100;
  Duration every = std::chrono::seconds(10);
  Duration lasts = std::chrono::hours(72);
};

struct Quality {
  int pages = 0, false_pages = 0;
  int outages = 0, found = 0;  // those longer than the bound of detection
  double check_months = 0;
  std::vector<double> delays;  // seconds from an outage's beginning to its page, sorted

  double precision() const { return pages == 0 ? 1 : 1 - double(false_pages) / pages; }
  double recall() const { return outages == 0 ? 1 : double(found) / outages; }
  double false_per_check_month() const { return false_pages / check_months; }
  double delay(double share) const;
};

/// The same seed gives the same traces for every plan.
Quality measure(Trouble trouble, const Plan& plan, const Extent& extent, std::uint64_t seed);

}  // namespace vitald::sim
