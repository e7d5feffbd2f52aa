#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "probes/helper_wire.hpp"

namespace vitald::probes::helper_wire {
namespace {

struct Child {
  int pipe = -1;  // its one Reply comes here; end of file without one: it was killed
  std::uint64_t id = 0;
};

/// Keeps `fd` as descriptor 3 and drops everything else that this process inherited: sockets that listen, locks, logs.
int keep_only(int fd) {
  const int null = open("/dev/null", O_RDWR);
  for (int standard = 0; standard <= 2; ++standard) dup2(null, standard);
  if (fd != 3) dup2(fd, 3);
  close_range(4, ~0U, 0);
  return 3;
}

/// The helper's own end must not end a warden: it cleans up first. It ends when the daemon's end of `socket` is gone.
[[noreturn]] void become_warden(int socket) {
  socket = keep_only(socket);
  watch_over_program(socket);
}

[[noreturn]] void answer(const Request& request, int pipe, int parent) {
  die_with(parent);
  pipe = keep_only(pipe);
  prctl(PR_SET_NAME, "vitald-statvfs");
  Reply reply;
  reply.id = request.id;
  reply.use = statvfs_now(request.path, reply.error);
  const auto sent = write(pipe, &reply, sizeof reply);  // smaller than PIPE_BUF: whole or not at all
  _exit(sent == static_cast<ssize_t>(sizeof reply) ? 0 : 1);
}

class Server {
 public:
  explicit Server(int socket) : socket_(socket) {}

  [[noreturn]] void run() {
    while (true) {
      std::array<pollfd, most_calls + 1> watched{};
      watched[0] = pollfd{.fd = socket_, .events = POLLIN, .revents = 0};
      for (std::size_t i = 0; i < most_calls; ++i) {
        watched[i + 1] = pollfd{.fd = children_[i].pipe, .events = POLLIN, .revents = 0};  // a negative fd is left out
      }
      if (poll(watched.data(), watched.size(), -1) < 0) continue;
      for (std::size_t i = 0; i < most_calls; ++i) {
        if (watched[i + 1].revents != 0) collect(children_[i]);
      }
      if (watched[0].revents != 0) take_request();
    }
  }

 private:
  void take_request() {
    Request request;
    int brought = -1;
    const auto size = receive(request, brought);
    if (size < 0 && errno == EINTR) return;
    if (brought >= 0) return start_warden(brought);
    if (size == static_cast<ssize_t>(request_head)) return;   // its descriptor did not fit into our table
    if (size < static_cast<ssize_t>(request_head)) _exit(0);  // the daemon is gone; our children die with us
    request.path[static_cast<std::size_t>(size) - request_head] = '\0';
    for (Child& child : children_) {
      if (child.pipe < 0) return start(child, request);
    }
    refuse(request.id, EAGAIN);
  }

  /// One packet, and the descriptor that may come with it.
  ssize_t receive(Request& request, int& brought) const {
    iovec piece{&request, sizeof request - 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto size = recvmsg(socket_, &message, MSG_CMSG_CLOEXEC);
    const cmsghdr* const extra = size < 0 ? nullptr : CMSG_FIRSTHDR(&message);
    if (extra != nullptr && extra->cmsg_type == SCM_RIGHTS) std::memcpy(&brought, CMSG_DATA(extra), sizeof brought);
    return size;
  }

  static void start_warden(int socket) {
    const int pid = fork();
    if (pid == 0) become_warden(socket);
    if (pid < 0) refuse_program(socket, errno);
    close(socket);
  }

  void start(Child& child, const Request& request) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return refuse(request.id, errno);
    const int self = getpid();
    const int pid = fork();
    if (pid == 0) answer(request, ends[1], self);
    const int error = errno;
    close(ends[1]);
    if (pid < 0) {
      close(ends[0]);
      return refuse(request.id, error);
    }
    child = Child{.pipe = ends[0], .id = request.id};
  }

  void collect(Child& child) {
    Reply reply;
    const auto size = read(child.pipe, &reply, sizeof reply);
    if (size < 0 && errno == EINTR) return;
    close(child.pipe);
    if (size == static_cast<ssize_t>(sizeof reply)) {
      send(socket_, &reply, sizeof reply, MSG_NOSIGNAL);
    } else {
      refuse(child.id, ECHILD);
    }
    child = Child{};
  }

  void refuse(std::uint64_t id, int error) {
    Reply reply;
    reply.id = id;
    reply.error = error;
    send(socket_, &reply, sizeof reply, MSG_NOSIGNAL);
  }

  int socket_;
  std::array<Child, most_calls> children_{};
};

}  // namespace

void die_with(int parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
}

void serve(int socket, int parent) {
  die_with(parent);
  // The end of the daemon ends the helper, never a signal that was meant for the daemon: Ctrl-C reaches the whole
  // process group and systemd's SIGTERM the whole control group, while the daemon still drains.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) signal(number, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);  // the kernel buries our children by itself: a pipe or a socket tells how they ended
  prctl(PR_SET_NAME, "vitald-helper");
  socket = keep_only(socket);
  static_cast<void>(chdir("/") == 0);  // a working folder of ours must not keep a file system busy
  Server(socket).run();
}

}  // namespace vitald::probes::helper_wire
