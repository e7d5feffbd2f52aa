#include "daemon/control_client.hpp"

#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "config/units.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t longest_line = 8u << 20;

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

Failure from_errno(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
      return {"", "vitald does not run (there is no socket at " + path + "); start it with: systemctl start vitald"};
    case ECONNREFUSED:
      return {"", "vitald does not run (nobody answers at " + path + "); start it with: systemctl start vitald"};
    case EACCES:
    case EPERM:
      return {"", "you may not talk to vitald at " + path + "; use sudo, or the user that vitald runs as"};
    case EAGAIN:
      return {"", "vitald is too busy to answer at " + path + "; try again in a moment"};
    case ENAMETOOLONG:
      return {path, "is too long for a Unix socket"};
    default:
      return {path, "cannot talk to vitald: " + std::generic_category().message(error)};
  }
}

/// 0, or the error's number.
int connect_to(const Descriptor& socket, const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

std::optional<Failure> send_all(const Descriptor& socket, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    // The daemon may have refused and hung up already: its words are still to be read.
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return std::nullopt;
    if (sent < 0) return from_errno(path, errno);
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return std::nullopt;
}

/// Appends what comes next; false at the end.
Result<bool> receive(const Descriptor& socket, std::string& buffer, Duration patience) {
  pollfd ready{socket.get(), POLLIN, 0};
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
  const int came = ::poll(&ready, 1, static_cast<int>(wait));
  if (came < 0 && errno == EINTR) return true;
  if (came == 0)
    return Failure{"", "vitald has not answered for " + say_duration(patience) + "; see: systemctl status vitald"};
  std::array<char, 65536> block;
  const ssize_t size = ::read(socket.get(), block.data(), block.size());
  if (size < 0 && errno == EINTR) return true;
  if (size <= 0) return false;
  buffer.append(block.data(), static_cast<std::size_t>(size));
  if (buffer.size() > longest_line) return Failure{"", "vitald's answer makes no sense (a line without end)"};
  return true;
}

/// The last line's meaning; nothing for a progress line.
std::optional<Result<json>> take_line(const std::string& line, const std::function<void(const json&)>& on_progress) {
  json answer = json::parse(line, nullptr, false);
  if (!answer.is_object()) return Failure{"", "vitald's answer makes no sense (not JSON)"};
  if (const auto error = answer.find("error"); error != answer.end() && error->is_string()) {
    return Failure{"", error->get<std::string>()};
  }
  if (answer.contains("result")) return Result<json>(std::move(answer["result"]));
  if (answer.contains("progress") && on_progress) on_progress(answer["progress"]);
  return std::nullopt;
}

}  // namespace

Result<json> control_request(const std::filesystem::path& path, const json& request,
                             const std::function<void(const json&)>& on_progress, Duration patience) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return from_errno(path.string(), errno);
  if (const int error = connect_to(socket, path.string()); error != 0) return from_errno(path.string(), error);
  if (auto failed =
          send_all(socket, path.string(), request.dump(-1, ' ', false, json::error_handler_t::replace) + "\n")) {
    return *failed;
  }
  std::string buffer;
  while (true) {
    const auto more = receive(socket, buffer, patience);
    if (!more) return more.failure();
    for (auto end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n')) {
      auto last = take_line(buffer.substr(0, end), on_progress);
      if (last) return std::move(*last);
      buffer.erase(0, end + 1);
    }
    if (!*more) return Failure{"", "vitald hung up before it had answered; see: journalctl -u vitald"};
  }
}

bool nobody_listens(const std::filesystem::path& path) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int error = connect_to(socket, path.string());
  return error == ENOENT || error == ECONNREFUSED;
}

std::string own_name(std::string_view sudo_user) {
  if (::geteuid() == 0 && !sudo_user.empty()) return std::string(sudo_user);
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::getuid());
}

}  // namespace vitald::daemon
