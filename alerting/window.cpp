#include "alerting/window.hpp"

#include <algorithm>

namespace vitald::alerting {

void add(Window& window, Steady at, double amount) {
  auto& buckets = window.buckets;
  const auto live = std::find_if(buckets.begin(), buckets.end(),
                                 [&](const Window::Bucket& bucket) { return bucket.from > at - window.span; });
  buckets.erase(buckets.begin(), live);
  if (amount == 0) return;
  const Duration width = window.span / static_cast<int>(Window::buckets_max) + Duration(1);
  if (!buckets.empty() && at < buckets.back().from + width) {
    buckets.back().amount += amount;
    return;
  }
  if (buckets.size() == Window::buckets_max) buckets.erase(buckets.begin());
  buckets.push_back({at, amount});
}

double sum(const Window& window, Steady at) {
  double total = 0;
  for (const Window::Bucket& bucket : window.buckets) {
    if (bucket.from > at - window.span) total += bucket.amount;
  }
  return total;
}

}  // namespace vitald::alerting
