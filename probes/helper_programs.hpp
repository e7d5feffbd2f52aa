// The daemon's side of programs: who may start now, and the conversation with one warden each (helper_wire.hpp).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "probes/program.hpp"

namespace vitald::probes {

constexpr std::size_t most_programs = 32;  // at a time; each is two processes and whatever it starts

/// "helper_gone".
ProbeFailure gone_failure();

class Programs {
 public:
  /// `helper` is the socket to the helper process; it is somebody else's.
  Programs(boost::asio::any_io_executor loop, int helper);
  /// Helper::run_program().
  boost::asio::awaitable<ProgramEnd> run(ProgramStart start, Duration patience);
  /// Nothing is waited for any more. Programs that still run are ended by their wardens.
  void close();

 private:
  struct Gate;
  boost::asio::awaitable<void> wait_for_place(const std::string& key, const std::string& program, Duration patience,
                                              boost::asio::steady_timer& timer);
  boost::asio::any_io_executor loop_;
  int helper_;
  std::shared_ptr<Gate> gate_;
};

}  // namespace vitald::probes
