// The control socket (control.sock in the runtime directory): how the command line talks to the daemon.
//
// One connection, one command: the client sends one JSON object on a line, {"command":"probe","check":"api-health"};
// the daemon answers with any number of {"progress":…} lines and one last {"result":…} or {"error":"a sentence"}
// (docs/command-line.md). Only root and the daemon's own user are served, by SO_PEERCRED (docs/guarantees.md R19); the
// file's mode is 0600 from the moment it exists.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <filesystem>
#include <memory>

#include "config/now.hpp"
#include "config/result.hpp"
#include "daemon/operations.hpp"

namespace vitald::daemon {

struct ControlSettings {
  std::size_t connections = 32;
  std::size_t request_bytes = 64 * 1024;
  Duration request_time = std::chrono::seconds(5);  // from the connection to the whole request
  Duration write_time = std::chrono::seconds(30);   // for the client to take one piece of the answer
  std::size_t verify_width = 8;                     // checks that `verify` runs at once
};

/// Root and the daemon's own user may do everything, nobody else anything.
bool may_control(uid_t peer, uid_t own);

class ControlSocket {
  struct Listener;

 public:
  /// Replaces a left-over socket, but not one that is alive, and nothing that is no socket. Serves when the loop runs.
  /// `operations` must outlive the loop's last turn.
  static Result<std::unique_ptr<ControlSocket>> open(boost::asio::any_io_executor loop, std::filesystem::path path,
                                                     Operations& operations, ControlSettings settings = {});
  explicit ControlSocket(std::shared_ptr<Listener> listener);  // open() calls it
  /// Closes everything at once and removes the file if it is still ours.
  ~ControlSocket();
  /// No new commands; those under way go on. Idempotent.
  void stop();

 private:
  std::shared_ptr<Listener> listener_;
};

}  // namespace vitald::daemon
