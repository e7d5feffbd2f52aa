#include "probes/failure.hpp"

#include <array>
#include <cerrno>

namespace vitald::probes {
namespace {

struct Known {
  int number;
  Outcome outcome;
  const char* reason;
  const char* words;
  const char* remedy;
};

constexpr std::array known = {
    Known{ECONNREFUSED, Outcome::refused, "connect_refused", "connection refused", ""},
    Known{ETIMEDOUT, Outcome::refused, "connect_timeout", "no answer", ""},
    Known{EHOSTUNREACH, Outcome::refused, "no_route", "no route to the host", ""},
    Known{ENETUNREACH, Outcome::refused, "no_route", "no route to the network", ""},
    Known{EHOSTDOWN, Outcome::refused, "no_route", "the host is down", ""},
    Known{ECONNRESET, Outcome::refused, "connection_reset", "connection reset by the other side", ""},
    Known{ECONNABORTED, Outcome::refused, "connection_reset", "connection aborted by the other side", ""},
    Known{EPIPE, Outcome::refused, "connection_reset", "the other side has closed the connection", ""},
    Known{EPROTO, Outcome::refused, "connection_reset", "protocol error", ""},
    Known{EMFILE, Outcome::unmeasured, "out_of_descriptors", "vitald has no file descriptor left",
          "raise LimitNOFILE= in vitald.service (systemctl edit vitald)"},
    Known{ENFILE, Outcome::unmeasured, "out_of_descriptors", "this host has no file descriptor left",
          "raise fs.file-max with sysctl, or find what holds the descriptors: cat /proc/sys/fs/file-nr"},
    Known{EADDRNOTAVAIL, Outcome::unmeasured, "no_local_port", "no local port or address is free",
          "widen net.ipv4.ip_local_port_range, or see what holds the ports: ss -s"},
    Known{ENOBUFS, Outcome::unmeasured, "out_of_memory", "the kernel has no memory for the connection", ""},
    Known{ENOMEM, Outcome::unmeasured, "out_of_memory", "this host is out of memory", ""},
    Known{ENOSPC, Outcome::unmeasured, "out_of_descriptors", "the kernel watches too many descriptors for this user",
          "raise fs.epoll.max_user_watches with sysctl"},
    Known{EACCES, Outcome::unmeasured, "denied", "permission denied",
          "grant vitald access, or see whether a firewall, SELinux or AppArmor rule forbids it"},
    Known{EPERM, Outcome::unmeasured, "denied", "operation not permitted",
          "see whether a firewall rule of this host forbids it: nft list ruleset"},
    Known{ENETDOWN, Outcome::unmeasured, "network_down", "this host's network is down", "see: ip link"},
    Known{EAFNOSUPPORT, Outcome::unmeasured, "no_address_family", "this host does not speak that address family",
          "set ip_protocol, or enable IPv6 on this host"},
};

}  // namespace

ProbeFailure failure_from(const std::error_code& error, const std::string& doing) {
  if (error.category() == std::system_category() || error.category() == std::generic_category()) {
    for (const auto& row : known)
      if (row.number == error.value())
        return ProbeFailure(row.outcome, row.reason, doing + ": " + row.words, row.remedy);
  }
  // Something that we have no word for: it may as well be ours, and a wrong page is worse than an `unknown`.
  return ProbeFailure(Outcome::unmeasured, "system_error", doing + ": " + error.message());
}

}  // namespace vitald::probes
