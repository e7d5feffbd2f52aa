// A socket address as the kernel takes it, and as people read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace vitald::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  static Address of(const sockaddr* address, socklen_t length, std::uint16_t port);
  int family() const { return storage.ss_family; }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool loopback() const;
  std::string text() const;  // "192.0.2.7:443", "[::1]:80"
  std::string host() const;  // "192.0.2.7", "::1"
};

/// Nothing where `host` is a name. IPv6 without brackets; a zone ("fe80::1%eth0") is understood.
std::optional<Address> numeric_address(std::string_view host, std::uint16_t port);

/// 0 for loopback and link-local, 1 for private networks (RFC 1918, RFC 6598, RFC 4193), 2 for everything else.
int publicness(const Address& address);

}  // namespace vitald::net
