// One SSL_CTX for each set of certificate files, kept: loading the system's authorities anew for every probe would cost
// more than the handshake. The only place where contexts are made.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "config/clock.hpp"
#include "probes/net/network.hpp"

struct ssl_ctx_st;

namespace vitald::net {

struct FreeContext {
  void operator()(ssl_ctx_st* context) const noexcept;
};
using TlsContext = std::shared_ptr<ssl_ctx_st>;

class TlsContexts {
 public:
  explicit TlsContexts(const Clock& clock) : clock_(clock) {}

  /// Reads files the first time, and again when one has changed (looked at every 5 s at most). They are small local
  /// files of at most 8 MiB, read on the loop. Throws probes::ProbeFailure (unmeasured) where one cannot be used.
  TlsContext get(const TlsOptions& options);

 private:
  struct Kept {
    TlsContext context;
    std::string stamps;  // of the files, as they were when it was made
    Steady checked{};
    Steady used{};
  };

  void make_room();

  const Clock& clock_;
  std::unordered_map<std::string, Kept> kept_;
};

}  // namespace vitald::net
