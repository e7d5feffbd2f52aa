#include "probes/helper.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

#include "config/units.hpp"
#include "probes/helper_programs.hpp"
#include "probes/helper_wire.hpp"

namespace vitald::probes {
namespace {

namespace asio = boost::asio;
using helper_wire::Reply;
using helper_wire::Request;

struct Call {
  Call(const asio::any_io_executor& loop, std::string path_, Duration patience) : path(std::move(path_)), waiter(loop) {
    waiter.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(patience));
  }
  std::string path;
  asio::steady_timer waiter;  // cancelled when the reply is there
  std::optional<Reply> reply;
};

/// Shared with the handler that waits for the socket, which may outlive the Helper by one turn of the loop.
struct Line {
  Line(const asio::any_io_executor& loop, int socket) : descriptor(loop, socket) {}
  asio::posix::stream_descriptor descriptor;
  std::map<std::uint64_t, std::shared_ptr<Call>> calls;  // out, whether or not anybody still waits
  std::uint64_t last_id = 0;
  bool listening = false;
  bool gone = false;
};

void hang_up(Line& line) {
  line.gone = true;
  for (const auto& [id, call] : line.calls) call->waiter.cancel();
  line.calls.clear();
}

void receive(Line& line) {
  while (true) {
    Reply reply;
    const auto size = recv(line.descriptor.native_handle(), &reply, sizeof reply, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size != static_cast<ssize_t>(sizeof reply)) return hang_up(line);
    const auto found = line.calls.find(reply.id);
    if (found == line.calls.end()) continue;
    found->second->reply = reply;
    found->second->waiter.cancel();
    line.calls.erase(found);
  }
}

/// Waits for replies only while some are due, so that an idle helper keeps no loop alive.
void listen(const std::shared_ptr<Line>& line) {
  if (line->listening || line->gone || line->calls.empty()) return;
  line->listening = true;
  line->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [line](boost::system::error_code error) {
    line->listening = false;
    if (error) return;
    receive(*line);
    listen(line);
  });
}

ProbeFailure stuck_failure(const std::string& path, const std::string& since) {
  return ProbeFailure(Outcome::refused, "mount_stuck", path + " hangs: the file system did not answer " + since,
                      "check the server behind it; umount -l " + path + " lets go of it");
}

class Attached final : public Helper {
 public:
  Attached(asio::any_io_executor loop, int socket, int pid)
      : loop_(loop), pid_(pid), line_(std::make_shared<Line>(loop, socket)), programs_(loop, socket) {}
  Attached(const Attached&) = delete;
  ~Attached() override {
    programs_.close();
    hang_up(*line_);
    boost::system::error_code ignored;
    line_->descriptor.close(ignored);
    // It never blocks outside poll(2), so it is gone at once, and its hanging children are no longer ours to wait for.
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  asio::awaitable<FileSystemUse> statvfs(std::string path, Duration patience) override {
    const auto line = line_;
    const auto call = start(path, patience);
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await call->waiter.async_wait(token);
    if (!call->reply && !error) throw stuck_failure(path, "within " + say_duration(patience));
    if (!call->reply && line->gone) throw gone_failure();
    if (!call->reply) throw boost::system::system_error(asio::error::operation_aborted);
    if (call->reply->error != 0) throw statvfs_failure(path, call->reply->error);
    co_return call->reply->use;
  }

  asio::awaitable<ProgramEnd> run_program(ProgramStart start, Duration patience) override {
    return programs_.run(std::move(start), patience);
  }

 private:
  std::shared_ptr<Call> start(const std::string& path, Duration patience) {
    if (line_->gone) throw gone_failure();
    for (const auto& [id, call] : line_->calls) {
      if (call->path == path) throw stuck_failure(path, "since an earlier run");
    }
    if (line_->calls.size() >= helper_wire::most_calls) {
      throw ProbeFailure(Outcome::unmeasured, "helper_busy",
                         std::to_string(line_->calls.size()) + " calls to other mounts hang, vitald makes no more");
    }
    send_request(path);
    auto call = std::make_shared<Call>(loop_, path, patience);
    line_->calls.emplace(line_->last_id, call);
    listen(line_);
    return call;
  }

  void send_request(const std::string& path) {
    if (path.empty() || path.size() >= helper_wire::longest_path) throw statvfs_failure(path, ENAMETOOLONG);
    Request request;
    request.id = ++line_->last_id;
    std::memcpy(request.path, path.data(), path.size());
    const std::size_t size = helper_wire::request_head + path.size();
    if (send(line_->descriptor.native_handle(), &request, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
    if (errno != EAGAIN && errno != ENOBUFS) {
      hang_up(*line_);
      throw gone_failure();
    }
    throw ProbeFailure(Outcome::unmeasured, "helper_busy", "vitald's helper process does not take more calls");
  }

  asio::any_io_executor loop_;
  int pid_;
  std::shared_ptr<Line> line_;
  Programs programs_;
};

}  // namespace

ProbeFailure gone_failure() {
  return ProbeFailure(Outcome::unmeasured, "helper_gone", "vitald's helper process was killed",
                      "restart vitald: systemctl restart vitald");
}

FileSystemUse statvfs_now(const std::string& path, int& error) {
  struct statvfs raw;
  while ((error = ::statvfs(path.c_str(), &raw) == 0 ? 0 : errno) == EINTR) {
  }
  if (error != 0) return {};
  // f_frsize is the unit of f_blocks; f_bsize only a hint (statvfs(3)).
  return FileSystemUse{.size = std::uint64_t{raw.f_blocks} * raw.f_frsize,
                       .free = std::uint64_t{raw.f_bfree} * raw.f_frsize,
                       .available = std::uint64_t{raw.f_bavail} * raw.f_frsize,
                       .inodes = raw.f_files,
                       .inodes_free = raw.f_ffree,
                       .read_only = (raw.f_flag & ST_RDONLY) != 0};
}

ProbeFailure statvfs_failure(const std::string& path, int error) {
  const std::string words = std::strerror(error);
  switch (error) {
    case EACCES:
    case EPERM:
      return ProbeFailure(Outcome::unmeasured, "denied:" + path, "vitald may not look at " + path,
                          "let the user vitald pass every folder above it: setfacl -m u:vitald:x FOLDER");
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ECHILD:
    case ENAMETOOLONG:
      return ProbeFailure(Outcome::unmeasured, "statvfs_failed", "vitald could not look at " + path + ": " + words);
    default:
      return ProbeFailure(Outcome::refused, "mount_broken", path + " does not work: " + words);
  }
}

HelperProcess HelperProcess::fork() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make the helper's socket");
  }
  const int parent = getpid();
  const int pid = ::fork();
  if (pid == 0) helper_wire::serve(ends[1], parent);
  const int error = errno;
  close(ends[1]);
  if (pid > 0) return HelperProcess(ends[0], pid);
  close(ends[0]);
  throw std::system_error(error, std::generic_category(), "cannot fork the helper process");
}

HelperProcess::HelperProcess(HelperProcess&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), pid_(other.pid_) {}

HelperProcess::~HelperProcess() {
  if (socket_ < 0) return;
  close(socket_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::unique_ptr<Helper> HelperProcess::attach(asio::any_io_executor loop) && {
  return std::make_unique<Attached>(std::move(loop), std::exchange(socket_, -1), pid_);
}

}  // namespace vitald::probes
