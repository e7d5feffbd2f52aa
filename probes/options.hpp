// Options that several kinds of probe share, as kinds of value for config::Reader (see config/kinds.hpp).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/reader.hpp"
#include "probes/net/network.hpp"

namespace re2 {
class RE2;
}

namespace vitald::probes {

/// An RE2 regular expression, compiled once. Matching takes time linear in the text and at most 1 MiB of memory.
struct Pattern {
  using value_type = std::shared_ptr<const re2::RE2>;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;  // matches everything
  std::string show(const value_type& value) const;
};

/// Whether the pattern matches somewhere in the text.
bool matches(const re2::RE2& pattern, std::string_view text);
std::string pattern_text(const re2::RE2& pattern);

/// "host:port", "192.0.2.7:25", "[::1]:25": a net::Target with host and port only.
struct HostPort {
  using value_type = net::Target;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;
  std::string show(const value_type& value) const;
};

/// Text in which \r \n \t \0 \\ and \x1f stand for those bytes, whatever YAML's own quotes did before.
struct EscapedText {
  using value_type = std::string;
  std::size_t longest = 4096;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;
  std::string show(const value_type& value) const;
};

/// `tls: true`, or a mapping of the options that read_tls() reads; nothing for `false`.
struct TlsSwitch {
  using value_type = std::optional<net::TlsOptions>;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;
  std::string show(const value_type& value) const;
};

/// server_name, ca_file, client_certificate, client_key, insecure.
net::TlsOptions read_tls(config::Reader& in);

/// ip_protocol: any, ipv4 or ipv6.
net::Family read_family(config::Reader& in);

/// What a kind says of where it connects to.
struct TargetWords {
  std::string_view address, socket, tls;
  std::size_t longest_socket = 4096;  // bytes of the path
};
/// address or socket (a problem unless it is one of them), ip_protocol, tls.
net::Target read_target(config::Reader& in, const TargetWords& words);

}  // namespace vitald::probes
