// The TLS sites in nginx's configuration. Only the few directives that matter here are understood; everything else is
// stepped over, whatever it is.
#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "daemon/discover.hpp"

namespace vitald::daemon {
namespace {

constexpr std::size_t most_sites = 64;
constexpr std::uint16_t https_port = 443;

std::uint16_t port_number(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() ? port : https_port;
}

struct Tokens {
  std::string_view text;

  /// The next word, "{", "}" or ";"; "" at the end. Comments are skipped, quotes taken off.
  std::string next() {
    skip_blanks_and_comments();
    if (text.empty()) return "";
    const char first = text.front();
    if (first == '{' || first == '}' || first == ';') return take(1);
    if (first == '"' || first == '\'') return take_quoted(first);
    return take(text.find_first_of(" \t\r\n;{}"));
  }

 private:
  void skip_blanks_and_comments() {
    while (!text.empty()) {
      if (text.front() == '#') {
        text.remove_prefix(std::min(text.size(), text.find('\n')));
      } else if (std::string_view(" \t\r\n").find(text.front()) != std::string_view::npos) {
        text.remove_prefix(1);
      } else {
        return;
      }
    }
  }
  std::string take(std::size_t count) {
    const std::string word(text.substr(0, count));
    text.remove_prefix(std::min(text.size(), count));
    return word;
  }
  std::string take_quoted(char quote) {
    text.remove_prefix(1);
    const std::size_t end = text.find(quote);
    std::string word = take(end);
    if (!text.empty()) text.remove_prefix(1);
    return word.empty() ? "''" : word;  // "" would mean the end
  }
};

struct ServerBlock {
  std::vector<std::string> names;
  std::set<std::uint16_t> tls_ports;
};

void note(const std::vector<std::string>& directive, ServerBlock& server) {
  if (directive[0] == "server_name") {
    server.names.insert(server.names.end(), directive.begin() + 1, directive.end());
  }
  if (directive[0] != "listen" || std::find(directive.begin() + 1, directive.end(), "ssl") == directive.end()) return;
  const std::string& where = directive[1];
  const std::size_t colon = where.rfind(':');
  const bool only_an_address = colon == std::string::npos && where.find_first_not_of("0123456789") != std::string::npos;
  const std::string_view port = colon == std::string::npos ? where : std::string_view(where).substr(colon + 1);
  server.tls_ports.insert(only_an_address ? https_port : port_number(port));
}

bool can_be_asked_for(const std::string& name) {
  if (name.empty() || name == "_" || name == "''" || name.find('.') == std::string::npos) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
             std::string::npos &&
         name.front() != '.';
}

void add_sites(const ServerBlock& server, std::vector<TlsSite>& sites) {
  for (const std::string& name : server.names) {
    if (!can_be_asked_for(name)) continue;
    for (const std::uint16_t port : server.tls_ports) {
      const TlsSite site{name, port};
      const bool known = std::find(sites.begin(), sites.end(), site) != sites.end();
      if (!known && sites.size() < most_sites) sites.push_back(site);
    }
  }
}

}  // namespace

std::vector<TlsSite> tls_sites(std::string_view nginx_configuration) {
  std::vector<TlsSite> sites;
  Tokens tokens{nginx_configuration};
  std::vector<std::string> directive;
  ServerBlock server;
  int depth = 0;
  int server_depth = 0;  // 0: outside of any server block
  for (std::string token = tokens.next(); !token.empty(); token = tokens.next()) {
    if (token == "{") {
      ++depth;
      if (server_depth == 0 && directive == std::vector<std::string>{"server"}) {
        server_depth = depth;
        server = ServerBlock();
      }
      directive.clear();
    } else if (token == "}") {
      if (depth == server_depth) {
        add_sites(server, sites);
        server_depth = 0;
      }
      depth = std::max(0, depth - 1);
      directive.clear();
    } else if (token == ";") {
      if (directive.size() > 1 && server_depth != 0 && depth == server_depth) note(directive, server);
      directive.clear();
    } else {
      directive.push_back(std::move(token));
    }
  }
  return sites;
}

}  // namespace vitald::daemon
