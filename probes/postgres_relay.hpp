// The road between libpq and its server, with our own feet on it: what libpq believes to be its socket is one end of a
// pair, and the bytes go over in pieces that are counted.
//
// Why: libpq takes a message of any length into memory (a row may claim 1 GiB), and one call of it reads for as long as
// bytes arrive. Here a call can read no more than what was carried over before it, so an answer has a limit to the byte
// and every wait is ours. It also lets us look at a TLS handshake before the server's first byte of it reaches OpenSSL.
#pragma once

#include <cstddef>
#include <string>

#include "probes/sql/conversation.hpp"

namespace vitald::probes::postgres {

/// What libpq waits for (PGRES_POLLING_READING, PGRES_POLLING_WRITING).
enum class Wanted { reading, writing };

/// The failure of a wait that nobody ended; the runner's own words replace them where the run's time is up.
[[noreturn]] void throw_timeout();

/// Used by one thread at a time. Owns its descriptors, the server's too.
class Relay {
 public:
  Relay() = default;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  /// Puts itself between `libpq_socket`, a connected one, and the server. The descriptor keeps its number and stays
  /// libpq's to close. Throws ProbeFailure where the system has no descriptor left.
  void attach(int libpq_socket);
  bool attached() const { return ours_ >= 0; }
  /// The server's socket, for Talk::use(); -1: not attached.
  int server() const { return server_; }

  /// From now on the server may say so many bytes.
  void allow(std::size_t bytes) { allowance_ = bytes; }
  /// Carries bytes until libpq can do what it waits for. False where the server says more than it may; its end counts
  /// as something to read. Throws ProbeFailure (timeout) when the deadline of `talk` is long over.
  bool turn(Wanted wanted, const sql::Talk& talk);

  /// Nothing came since the last turn, not even the end.
  bool quiet() const;
  /// Sends what libpq wrote last (its goodbye), if that needs no waiting.
  void flush();

 private:
  void take_from_libpq();
  void send_to_server();
  bool hand_to_libpq();
  bool take_from_server();

  int ours_ = -1;  // the other end of libpq's pair
  int server_ = -1;
  bool ended_ = false;  // by the server
  std::size_t allowance_ = 0;
  std::string to_server_, to_libpq_;  // what did not fit yet
};

}  // namespace vitald::probes::postgres
