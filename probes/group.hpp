// Several processes that do one job (the instances of a pm2 app, a group of supervisor's programs): how one says that
// some of them, or all, are down. One of several down is a figure, for a limit to judge; all down is a fault.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/sample.hpp"

namespace vitald::probes {

struct Group {
  struct Member {
    std::string name;   // "laravel-worker_01"; fit for a message
    std::string state;  // what it is instead of running: "FATAL", "stopped"
  };
  std::string name;          // fit for a message
  std::size_t size = 0;      // members in all
  std::vector<Member> down;  // those that do not run

  bool all_down() const { return size > 0 && down.size() == size; }
};

/// "worker_01 is STOPPED; 2 of 3 running", "none of 3 running: worker_00 is FATAL, …", "frontend is stopped".
std::string say_down(const Group& group);

/// The sample `not_running`, with those words.
Sample not_running(const Group& group, const Labels& labels);

inline constexpr SampleSpec not_running_row{
    .name = "not_running", .help = "Processes that should run and do not; all of them at once is a fault"};

}  // namespace vitald::probes
