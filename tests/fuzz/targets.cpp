#include "tests/fuzz/targets.hpp"

#include <cstdio>
#include <cstdlib>

namespace vitald::fuzz {

std::span<const Target> targets() {
  static constexpr Target all[] = {
      {"resp", resp},
      {"redis_info", redis_info},
      {"amqp", amqp},
      {"cron", cron},
      {"amp", amp},
      {"xml_rpc", xml_rpc},
      {"fastcgi", fastcgi},
      {"docker_logs", docker_logs},
      {"docker_json", docker_json},
      {"kernel_text", kernel_text},
      {"log_lines", log_lines},
      {"s3", s3},
      {"archive", archive},
      {"certificate", certificate},
      {"perfdata", perfdata},
  };
  return all;
}

void must(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace vitald::fuzz
