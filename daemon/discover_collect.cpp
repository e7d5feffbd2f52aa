// The part of `vitald discover` that touches the machine: reads files and asks listeners. Runs once, before any loop.
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "daemon/discover.hpp"
#include "probes/uplink.hpp"

namespace vitald::daemon {
namespace {

constexpr std::size_t most_bytes = 1u << 20;
constexpr std::size_t most_listeners = 32;
constexpr std::size_t most_files = 200;
constexpr int patience_ms = 300;  // for each step: connecting, sending, the first bytes
constexpr std::uint16_t first_passing_port =
    32768;  // from here on the kernel hands out ports; what listens there moves

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(most_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

/// nginx.conf and what Debian's includes; a file that cannot be read is as if it were not there.
std::vector<std::string> nginx_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths = {folder / "nginx.conf"};
  for (const char* part : {"conf.d", "sites-enabled"}) {
    std::error_code failed;
    for (auto entry = std::filesystem::directory_iterator(folder / part, failed);
         !failed && entry != std::filesystem::directory_iterator() && paths.size() < most_files;
         entry.increment(failed)) {
      const bool is_configuration = part == std::string_view("sites-enabled") || entry->path().extension() == ".conf";
      if (is_configuration && entry->is_regular_file(failed)) paths.push_back(entry->path());
    }
  }
  std::sort(paths.begin() + 1, paths.end());
  std::vector<std::string> texts;
  for (const std::filesystem::path& path : paths) {
    std::string text = read_file(path);
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

struct Descriptor {
  int number = -1;
  explicit Descriptor(int given) : number(given) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

bool ready(const Descriptor& socket, short events) {
  pollfd entry{socket.number, events, 0};
  return poll(&entry, 1, patience_ms) == 1 && (entry.revents & events) != 0;
}

bool connect_to(const Descriptor& socket, const addrinfo& target) {
  if (connect(socket.number, target.ai_addr, target.ai_addrlen) == 0) return true;
  if (errno != EINPROGRESS || !ready(socket, POLLOUT)) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

/// The first bytes of the answer to `GET /`, "" where there is none in time.
std::string first_bytes(const addrinfo& target) {
  const Descriptor socket(::socket(target.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.number < 0 || !connect_to(socket, target)) return "";
  constexpr std::string_view question = "GET / HTTP/1.0\r\nHost: localhost\r\nUser-Agent: vitald-discover\r\n\r\n";
  if (send(socket.number, question.data(), question.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(question.size()))
    return "";
  std::array<char, 1024> bytes{};
  std::string answer;
  while (answer.size() < bytes.size() && ready(socket, POLLIN)) {
    const ssize_t got = recv(socket.number, bytes.data(), bytes.size(), 0);
    if (got <= 0) break;
    answer.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return answer;
}

/// "HTTP/1.1 200 OK" gives 200; 0 for anything else.
int http_status(std::string_view answer) {
  constexpr std::size_t status_at = std::string_view("HTTP/1.1 ").size();
  if (!answer.starts_with("HTTP/1.") || answer.size() < status_at + 3) return 0;
  int status = 0;
  const char* digits = answer.data() + status_at;
  const auto [end, error] = std::from_chars(digits, digits + 3, status);
  return error == std::errc() && end == digits + 3 && status >= 100 ? status : 0;
}

void ask(Listener& listener) {
  addrinfo numeric{};
  numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  numeric.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(listener.address.c_str(), std::to_string(listener.port).c_str(), &numeric, &found) != 0) return;
  const std::string answer = first_bytes(*found);
  freeaddrinfo(found);
  listener.http_status = http_status(answer);
  // nginx and Apache answer plain HTTP on a TLS port with a 400 that says so; others with an alert record (0x15).
  const bool says_so = listener.http_status == 400 && answer.find("HTTPS") != std::string::npos;
  listener.tls = says_so || (!answer.empty() && answer.front() == '\x15');
}

}  // namespace

HostFacts collect_facts(const DiscoverOptions& options) {
  const std::filesystem::path root = options.root.empty() ? "/" : options.root;
  HostFacts facts;
  facts.host_name = read_file(root / "proc/sys/kernel/hostname");
  facts.host_name.resize(std::min(facts.host_name.size(), facts.host_name.find('\n')));
  facts.mountinfo = read_file(root / "proc/self/mountinfo");
  const std::string swaps = read_file(root / "proc/swaps");  // a headline, then one line for each area
  facts.has_swap = std::count(swaps.begin(), swaps.end(), '\n') > 1;
  facts.has_default_route = !probes::uplink::parse_routes(read_file(root / "proc/net/route")).empty() ||
                            !probes::uplink::parse_ipv6_routes(read_file(root / "proc/net/ipv6_route")).empty();
  facts.nginx = nginx_files(root / "etc/nginx");
  facts.keepers = find_keepers(options.root);
  facts.counts_oom_kills = read_file(root / "proc/vmstat").find("\noom_kill ") != std::string::npos;

  facts.listeners = parse_listeners(read_file(root / "proc/net/tcp"), false);
  for (const Listener& listener : parse_listeners(read_file(root / "proc/net/tcp6"), true)) {
    const auto same_port = [&](const Listener& known) { return known.port == listener.port; };
    if (std::none_of(facts.listeners.begin(), facts.listeners.end(), same_port)) facts.listeners.push_back(listener);
  }
  std::erase_if(facts.listeners,
                [&](const Listener& each) { return each.port >= first_passing_port || each.port == options.port; });
  if (facts.listeners.size() > most_listeners) facts.listeners.resize(most_listeners);
  for (Listener& listener : facts.listeners) ask(listener);
  return facts;
}

}  // namespace vitald::daemon
