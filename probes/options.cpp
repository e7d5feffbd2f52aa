#include "probes/options.hpp"

#include <re2/re2.h>

#include <charconv>

#include "config/schema.hpp"

namespace vitald::probes {
namespace {

using config::Node;
using config::Problems;

constexpr std::int64_t pattern_memory = 1 << 20;  // for one pattern; RE2's own default is 8 MiB

Failure expected(const std::string& what, const Node& node) {
  if (node.kind != Node::Kind::scalar) return {"", "expected " + what + ", found " + std::string(node.kind_name())};
  return {"", "expected " + what + ", found '" + node.scalar.substr(0, 80) + "'"};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0) return std::nullopt;
  return port;
}

/// Splits off the port; IPv6 addresses stand in brackets (RFC 3986 section 3.2.2), which are dropped.
std::optional<net::Target> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool plain = host.find_first_of(" /[]@?#") == std::string_view::npos;
  if (!port || host.empty() || !plain || (!bracketed && host.find(':') != std::string_view::npos)) return std::nullopt;
  net::Target target;
  target.host = std::string(host);
  target.port = *port;
  return target;
}

/// The byte that the escape at `text[at]` (behind the backslash) stands for; `at` moves to its last character.
std::optional<char> unescape(std::string_view text, std::size_t& at) {
  switch (text[at]) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x':
      break;
    default:
      return std::nullopt;
  }
  unsigned value = 0;
  const std::string_view digits = text.substr(at + 1, 2);
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || digits.size() != 2 || stop != digits.data() + 2) return std::nullopt;
  at += 2;
  return static_cast<char>(value);
}

}  // namespace

std::string Pattern::type_name() const { return "regular expression (RE2)"; }
std::string Pattern::schema() const { return R"({"type":"string","minLength":1,"maxLength":4096})"; }
Result<Pattern::value_type> Pattern::read(const Node& node, Problems& problems) const {
  auto text = config::Text{}.read(node, problems);
  if (!text) return text.failure();
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(pattern_memory);
  auto pattern = std::make_shared<const re2::RE2>(*text, options);
  if (!pattern->ok()) return Failure{"", "no valid regular expression: " + pattern->error()};
  return value_type(std::move(pattern));
}
Pattern::value_type Pattern::dummy() const { return std::make_shared<const re2::RE2>(""); }
std::string Pattern::show(const value_type& value) const { return value ? value->pattern() : ""; }

bool matches(const re2::RE2& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}
std::string pattern_text(const re2::RE2& pattern) { return pattern.pattern(); }

std::string HostPort::type_name() const { return "host:port"; }
std::string HostPort::schema() const { return R"({"type":"string","pattern":"^.+:[0-9]+$"})"; }
Result<net::Target> HostPort::read(const Node& node, Problems&) const {
  auto target = node.kind == Node::Kind::scalar ? parse_host_port(node.scalar) : std::nullopt;
  if (!target) return expected("a host and a port such as example.com:25 or [::1]:25", node);
  return std::move(*target);
}
net::Target HostPort::dummy() const { return {}; }
std::string HostPort::show(const net::Target& value) const { return value.text(); }

std::string EscapedText::type_name() const { return R"(text with \r \n \t \xNN)"; }
std::string EscapedText::schema() const { return config::Text{.longest = longest}.schema(); }
Result<std::string> EscapedText::read(const Node& node, Problems& problems) const {
  auto text = config::Text{.longest = longest}.read(node, problems);
  if (!text) return text;
  std::string bytes;
  for (std::size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] != '\\') {
      bytes += (*text)[i];
      continue;
    }
    const auto byte = ++i < text->size() ? unescape(*text, i) : std::nullopt;
    if (!byte) return Failure{"", R"(a backslash without a meaning; \r \n \t \0 \\ and \x1f have one)"};
    bytes += *byte;
  }
  return bytes;
}
std::string EscapedText::dummy() const { return ""; }
std::string EscapedText::show(const std::string& value) const { return value; }

std::string TlsSwitch::type_name() const { return "true, false or a mapping of TLS options"; }
std::string TlsSwitch::schema() const {
  config::Reader describing = config::Reader::describing();
  read_tls(describing);
  return R"({"anyOf":[{"type":"boolean"},)" + config::object_schema(describing.options()) + "]}";
}
Result<TlsSwitch::value_type> TlsSwitch::read(const Node& node, Problems& problems) const {
  if (node.kind == Node::Kind::mapping) {
    config::Reader in(node, "tls", problems);
    value_type options = read_tls(in);
    in.finish();
    if (problems.any_error()) return Failure{"", "wrong TLS options"};
    return options;
  }
  const auto on = config::Boolean{}.read(node, problems);
  if (!on) return expected(type_name(), node);
  return *on ? value_type(net::TlsOptions{}) : std::nullopt;
}
TlsSwitch::value_type TlsSwitch::dummy() const { return std::nullopt; }
std::string TlsSwitch::show(const value_type& value) const { return value ? "true" : "false"; }

net::TlsOptions read_tls(config::Reader& in) {
  net::TlsOptions options;
  const config::Text optional_text{.may_be_empty = true};
  options.server_name =
      in.optional("server_name", optional_text, "", "Name to ask for and to verify, where it is not the host's");
  options.ca_file =
      in.optional("ca_file", optional_text, "", "PEM file of the authorities to trust instead of the system's");
  options.client_certificate =
      in.optional("client_certificate", optional_text, "", "PEM file of the certificate to present");
  options.client_key = in.optional("client_key", optional_text, "", "PEM file of its private key");
  options.insecure =
      in.optional("insecure", config::Boolean{}, false, "Take any certificate; a warning stays as long as this is set");
  if (options.client_certificate.empty() != options.client_key.empty()) {
    in.problem(options.client_key.empty() ? "client_certificate" : "client_key",
               "'client_certificate' and 'client_key' go together");
  }
  if (options.insecure)
    in.warn("insecure", "the certificate is not verified: anybody on the way can answer for the target");
  return options;
}

net::Family read_family(config::Reader& in) {
  const auto word = in.optional("ip_protocol", config::OneOf{{"any", "ipv4", "ipv6"}}, "any", "Which addresses to use");
  return word == "ipv4" ? net::Family::ipv4 : word == "ipv6" ? net::Family::ipv6 : net::Family::any;
}

net::Target read_target(config::Reader& in, const TargetWords& words) {
  const auto address = in.maybe("address", HostPort{}, words.address);
  const auto socket = in.maybe("socket", config::Text{.longest = words.longest_socket}, words.socket);
  const auto family = read_family(in);
  const auto tls = in.optional("tls", TlsSwitch{}, std::nullopt, words.tls);
  if (address.has_value() == socket.has_value()) in.problem("", "needs either 'address' or 'socket'");
  net::Target target = address.value_or(net::Target{});
  target.unix_path = socket.value_or("");
  target.family = family;
  target.tls = tls;
  return target;
}

}  // namespace vitald::probes
