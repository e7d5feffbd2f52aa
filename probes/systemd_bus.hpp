// What systemd says of its units over the system bus. Everything here blocks: it belongs into a job on a worker, whose
// Talk ends it at the run's deadline. Of systemd's methods only those that read are called.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probes/failure.hpp"

struct sd_bus;
struct sd_bus_message;

namespace vitald::probes::sql {
class Talk;
}

namespace vitald::probes::systemd {

/// The properties of one unit, of all of its interfaces. Signed numbers stand as their two's complement.
struct Properties {
  std::map<std::string, std::string, std::less<>> texts;
  std::map<std::string, std::uint64_t, std::less<>> numbers;

  std::string text(std::string_view name) const;      // "" where there is none
  std::uint64_t number(std::string_view name) const;  // 0 where there is none
};

class Bus {
 public:
  /// Throws ProbeFailure(unmeasured) where there is no bus at the socket `path`, or it lets nobody in.
  Bus(const std::string& path, sql::Talk& talk);
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus();

  /// Names of the units in systemd's memory that match one of `patterns` (all: none given) and are in one of `states`.
  std::vector<std::string> list(const std::vector<std::string>& states, const std::vector<std::string>& patterns,
                                std::size_t most);
  /// Of a unit that need not be in memory, or exist: its LoadState tells.
  Properties properties(const std::string& unit);

 private:
  struct Closer {
    void operator()(sd_bus* bus) const;
  };
  struct Freer {
    void operator()(sd_bus_message* message) const;
  };
  using Message = std::unique_ptr<sd_bus_message, Freer>;

  Message question(const char* path, const char* interface, const char* member);
  Message ask(const Message& call);

  sql::Talk& talk_;
  std::unique_ptr<sd_bus, Closer> bus_;
};

}  // namespace vitald::probes::systemd
