#include "daemon/configuration_kinds.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "alerting/confirm.hpp"
#include "config/reader.hpp"
#include "config/schema.hpp"
#include "config/shown.hpp"

namespace vitald::daemon {
namespace {

using config::Node;
using config::Problems;
using config::Reader;
using namespace std::chrono_literals;

constexpr std::size_t most_labels = 16;
constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_label = 256;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_printable(char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; }

bool same(const alerting::Confirmation& a, const alerting::Confirmation& b) {
  return a.failures == b.failures && a.spread == b.spread;
}

alerting::Confirmation parse_confirm(Reader& in) {
  const config::ListOf<config::Length> distances{.kind = {100ms, 1h}, .single = true, .most = 20};
  alerting::Confirmation confirm;
  confirm.failures = static_cast<int>(in.optional("failures", config::Integer{1, 20}, 4, "Bad verdicts it takes"));
  confirm.spread = in.optional("spread", distances, Confirm::calm().spread,
                               "Distances of the re-probes, from start to start; the last one repeats");
  if (confirm.spread.empty()) in.problem("spread", "'spread': expected at least one distance such as 5s");
  return confirm;
}

Severity warning_for(Severity critical) { return std::max(critical, Severity::p2); }

Severities parse_severities(Reader& in) {
  Severities both;
  both.critical = in.optional("critical", config::SeverityWord{}, Severity::p2, "What a critical verdict means");
  both.warning = in.maybe("warning", config::SeverityWord{}, "What a warning means; P2 at most where it is left out")
                     .value_or(warning_for(both.critical));
  return both;
}

std::string objection_to_label(std::string_view name) {
  for (const std::string_view taken : {"instance", "job", "le", "check", "probe"}) {
    if (name == taken)
      return "the label '" + std::string(name) + "' is set by vitald or Prometheus; choose another name";
  }
  if (name.starts_with("__")) return "labels that begin with '__' belong to Prometheus; choose another name";
  const bool good =
      !name.empty() && !is_digit(name[0]) && name.size() <= longest_name &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
  return good ? "" : "a label is named with letters, digits and _ only" + config::but_found(name);
}

template <class Kind>
std::string schema_of(Kind parse) {
  Reader in = Reader::describing();
  parse(in);
  return config::object_schema(in.options());
}

}  // namespace

alerting::Confirmation Confirm::calm() { return *alerting::confirmation_preset("calm"); }
alerting::Confirmation Confirm::fast() { return *alerting::confirmation_preset("fast"); }

std::string Confirm::schema() const {
  return R"({"anyOf":[{"enum":["calm","fast"]},)" + schema_of(parse_confirm) + "]}";
}

Result<alerting::Confirmation> Confirm::read(const Node& node, Problems& problems) const {
  if (node.kind != Node::Kind::mapping) {
    const auto word = config::OneOf{{"calm", "fast"}}.read(node, problems);
    if (!word) return word.failure();
    return *word == "calm" ? calm() : fast();
  }
  Reader in(node, "confirm", problems);
  auto confirm = parse_confirm(in);
  in.finish();
  return confirm;
}

std::string Confirm::show(const value_type& confirm) const {
  if (same(confirm, calm())) return "calm";
  if (same(confirm, fast())) return "fast";
  return "{ failures: " + std::to_string(confirm.failures) +
         ", spread: " + config::ListOf<config::Length>{}.show(confirm.spread) + " }";
}

std::string SeverityPair::schema() const {
  return R"({"anyOf":[)" + config::SeverityWord{}.schema() + "," + schema_of(parse_severities) + "]}";
}

Result<Severities> SeverityPair::read(const Node& node, Problems& problems) const {
  if (node.kind != Node::Kind::mapping) {
    const auto word = config::SeverityWord{}.read(node, problems);
    if (!word) return word.failure();
    return Severities{*word, warning_for(*word)};
  }
  Reader in(node, "severity", problems);
  const auto both = parse_severities(in);
  in.finish();
  return both;
}

std::string SeverityPair::show(const Severities& both) const {
  const std::string critical(to_string(both.critical));
  if (both.warning == warning_for(both.critical)) return critical;
  return "{ critical: " + critical + ", warning: " + std::string(to_string(both.warning)) + " }";
}

std::string UserLabels::schema() const {
  return R"({"type":"object","maxProperties":16,"propertyNames":{"pattern":"^[A-Za-z_][A-Za-z0-9_]*$",)"
         R"("not":{"pattern":"^(instance|job|le|check|probe|__.*)$"}},)"
         R"("additionalProperties":{"type":["string","number","boolean"]}})";
}

Result<Labels> UserLabels::read(const Node& node, Problems& problems) const {
  auto values = config::TextMap{most_labels}.read(node, problems);
  if (!values) return values.failure();
  for (const auto& [key, at, value] : node.members) {
    if (auto wrong = objection_to_label(key); !wrong.empty()) problems.error(at, std::move(wrong));
    if (value.scalar.size() > longest_label) problems.error(value.at, "a label is at most 256 bytes long");
  }
  if (problems.any_error()) return Failure{"", "has wrong entries"};
  std::sort(values->begin(), values->end());
  return values;
}

Result<std::string> AbsolutePath::read(const Node& node, Problems& problems) const {
  auto path = config::Text{}.read(node, problems);
  if (!path || path->starts_with('/')) return path;
  return Failure{"", "expected a path that begins with '/'" + config::but_found(*path)};
}

Result<std::string> WebAddress::read(const Node& node, Problems& problems) const {
  auto address = config::Text{2048}.read(node, problems);
  if (!address) return address;
  const bool known = address->starts_with("http://") || address->starts_with("https://");
  const bool whole =
      std::all_of(address->begin(), address->end(), is_printable) && address->find("//") + 2 < address->size();
  if (known && whole) return address;
  return Failure{"", "expected an address that begins with http:// or https://" + config::but_found(*address)};
}

Result<ListenAddress::value_type> ListenAddress::read(const Node& node, Problems&) const {
  const Failure wrong{"", "expected a numeric address and a port such as 127.0.0.1:9642 or [::1]:9642" +
                              (node.kind == Node::Kind::scalar ? config::but_found(node.scalar)
                                                               : ", found " + std::string(node.kind_name()))};
  const std::string& text = node.scalar;
  const auto colon = text.rfind(':');
  if (node.kind != Node::Kind::scalar || colon == std::string::npos) return wrong;
  std::string host = text.substr(0, colon);
  const bool six = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (six) host = host.substr(1, host.size() - 2);
  std::array<unsigned char, sizeof(in6_addr)> numeric{};
  if (::inet_pton(six ? AF_INET6 : AF_INET, host.c_str(), numeric.data()) != 1) return wrong;
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return wrong;
  return value_type{host, port};
}

std::string ListenAddress::show(const value_type& address) const {
  const bool six = address.first.find(':') != std::string::npos;
  return (six ? "[" + address.first + "]" : address.first) + ":" + std::to_string(address.second);
}

std::string objection_to_name(std::string_view name) {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; };
  if (name.size() > longest_name) return "a name is at most 128 characters long" + config::but_found(name);
  if (name.empty() || !std::all_of(name.begin(), name.end(), allowed)) {
    return "a name consists of letters, digits, '.', '_' and '-'" + config::but_found(name);
  }
  return "";
}

}  // namespace vitald::daemon
