#include "probes/net/address.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

namespace vitald::net {
namespace {

const sockaddr_in& v4(const Address& address) { return reinterpret_cast<const sockaddr_in&>(address.storage); }
const sockaddr_in6& v6(const Address& address) { return reinterpret_cast<const sockaddr_in6&>(address.storage); }

std::uint16_t port_of(const Address& address) {
  return ntohs(address.family() == AF_INET6 ? v6(address).sin6_port : v4(address).sin_port);
}

/// The IPv4 address inside, in host order: plain, or mapped into IPv6 (::ffff:0:0/96).
std::optional<std::uint32_t> ipv4_bits(const Address& address) {
  if (address.family() == AF_INET) return ntohl(v4(address).sin_addr.s_addr);
  const auto& bytes = v6(address).sin6_addr.s6_addr;
  if (!IN6_IS_ADDR_V4MAPPED(&v6(address).sin6_addr)) return std::nullopt;
  return static_cast<std::uint32_t>(bytes[12]) << 24 | static_cast<std::uint32_t>(bytes[13]) << 16 |
         static_cast<std::uint32_t>(bytes[14]) << 8 | bytes[15];
}

bool within(std::uint32_t bits, std::uint32_t net, int length) { return (bits ^ net) >> (32 - length) == 0; }

}  // namespace

Address Address::of(const sockaddr* address, socklen_t length, std::uint16_t port) {
  Address made;
  made.length = std::min<socklen_t>(length, sizeof made.storage);
  std::memcpy(&made.storage, address, made.length);
  if (made.family() == AF_INET6)
    reinterpret_cast<sockaddr_in6&>(made.storage).sin6_port = htons(port);
  else
    reinterpret_cast<sockaddr_in&>(made.storage).sin_port = htons(port);
  return made;
}

bool Address::loopback() const {
  if (const auto bits = ipv4_bits(*this)) return within(*bits, 0x7f000000, 8);
  return IN6_IS_ADDR_LOOPBACK(&v6(*this).sin6_addr);
}

std::string Address::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bits = family() == AF_INET6 ? static_cast<const void*>(&v6(*this).sin6_addr) : &v4(*this).sin_addr;
  if (::inet_ntop(family(), bits, text.data(), text.size()) == nullptr) return "?";
  return text.data();
}

std::string Address::text() const {
  auto out = host();
  if (family() == AF_INET6) out = "[" + out + "]";
  return out + ":" + std::to_string(port_of(*this));
}

std::optional<Address> numeric_address(std::string_view host, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN + IF_NAMESIZE + 1> text{};
  if (host.empty() || host.size() >= text.size()) return std::nullopt;
  std::copy(host.begin(), host.end(), text.begin());

  Address made;
  if (host.find(':') == std::string_view::npos) {
    auto& address = reinterpret_cast<sockaddr_in&>(made.storage);
    if (::inet_pton(AF_INET, text.data(), &address.sin_addr) != 1) return std::nullopt;
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    made.length = sizeof address;
    return made;
  }
  auto& address = reinterpret_cast<sockaddr_in6&>(made.storage);
  if (const auto zone = host.find('%'); zone != std::string_view::npos) {
    text[zone] = '\0';
    address.sin6_scope_id = ::if_nametoindex(text.data() + zone + 1);
    if (address.sin6_scope_id == 0) return std::nullopt;
  }
  if (::inet_pton(AF_INET6, text.data(), &address.sin6_addr) != 1) return std::nullopt;
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  made.length = sizeof address;
  return made;
}

int publicness(const Address& address) {
  if (const auto bits = ipv4_bits(address)) {
    if (within(*bits, 0x7f000000, 8) || within(*bits, 0xa9fe0000, 16) || within(*bits, 0, 8)) return 0;
    const bool is_private = within(*bits, 0x0a000000, 8) || within(*bits, 0xac100000, 12) ||
                            within(*bits, 0xc0a80000, 16) || within(*bits, 0x64400000, 10);
    return is_private ? 1 : 2;
  }
  const auto& bits = v6(address).sin6_addr;
  if (IN6_IS_ADDR_LOOPBACK(&bits) || IN6_IS_ADDR_UNSPECIFIED(&bits) || IN6_IS_ADDR_LINKLOCAL(&bits)) return 0;
  return (bits.s6_addr[0] & 0xfe) == 0xfc ? 1 : 2;  // fc00::/7
}

}  // namespace vitald::net
