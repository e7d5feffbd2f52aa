// What Redis answers to INFO (redis.io/commands/info): `key:value` lines under `# Section` headings. Foreign text:
// bounded, and nothing in it is taken for a number that is not one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitald::probes::redis {

/// One line `slaveN:ip=…,port=…,state=…,offset=…,lag=…` of a primary.
struct Replica {
  std::string name;   // "192.0.2.8:6379", fit to show
  std::string state;  // "online" when it follows
  std::optional<double> lag_seconds;
  std::optional<double> offset;
};

class Info {
 public:
  /// At most 4000 lines; one that is longer than 512 bytes is left out, and of a key that comes twice the first counts.
  static Info parse(std::string_view text);

  bool empty() const { return lines_.empty(); }
  /// "" where there is no such line.
  std::string_view text(std::string_view key) const;
  /// Nothing where there is no such line, or it holds no finite number.
  std::optional<double> number(std::string_view key) const;
  /// The same, and nothing where it is negative: Redis writes -1 for what it does not know.
  std::optional<double> amount(std::string_view key) const;

  bool replica() const { return text("role") == "slave"; }
  /// At most 25, in the order of Redis.
  std::vector<Replica> replicas() const;

 private:
  std::map<std::string, std::string, std::less<>> lines_;
};

}  // namespace vitald::probes::redis
