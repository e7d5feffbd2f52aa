// A warden: the process between the helper and one program. It is the program's parent and the subreaper of all that
// the program starts, reads what it writes, ends it when the daemon says so or is gone, and leaves nothing behind.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "probes/capture.hpp"
#include "probes/descendants.hpp"
#include "probes/helper_wire.hpp"
#include "probes/program_child.hpp"

extern "C" {  // glibc 2.36 does not say so itself
#include <sys/pidfd.h>
}

namespace vitald::probes::helper_wire {
namespace {

using Why = NotStarted::Why;

constexpr int looks_before_the_answer = 100;  // of up to 10 ms each, for what was killed to be gone

/// False when the other end is gone.
bool read_all(int socket, void* into, std::size_t size) {
  char* at = static_cast<char*>(into);
  while (size > 0) {
    const auto got = recv(socket, at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

/// To a daemon that has gone nothing can be said, and nobody needs to hear of it.
void write_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string_view bytes_of(const ProgramReply& reply) { return {reinterpret_cast<const char*>(&reply), sizeof reply}; }

void refuse(int socket, const NotStarted& refusal) {
  ProgramReply reply;
  reply.kind = ProgramReply::Kind::refused;
  reply.why = refusal.why;
  reply.number = refusal.number;
  reply.path = static_cast<std::uint32_t>(refusal.path.size());
  write_all(socket, std::string(bytes_of(reply)) + refusal.path);
}

struct Errand {
  ProgramPlan plan;
  std::uint64_t kill_after_ms = 0;
};

std::optional<Errand> read_errand(int socket) {
  ProgramRequest request;
  if (!read_all(socket, &request, sizeof request) || request.size > longest_texts) return std::nullopt;
  std::string texts(request.size, '\0');
  if (!read_all(socket, texts.data(), texts.size())) return std::nullopt;
  Errand errand{.plan = {}, .kill_after_ms = request.kill_after_ms};
  std::size_t at = 0;
  const auto next = [&] {
    std::string text = texts.c_str() + std::min(at, texts.size());
    at += text.size() + 1;
    return text;
  };
  errand.plan.working_directory = next();
  for (std::uint32_t i = 0; i < request.arguments; ++i) errand.plan.arguments.push_back(next());
  for (std::uint32_t i = 0; i < request.variables; ++i) errand.plan.environment.push_back(next());
  return errand;
}

/// False when the daemon gave up before the program began: its time may have passed while the errand lay here.
bool is_awaited(int socket) {
  char any;
  return recv(socket, &any, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

/// What an errno of fork, pipe or execve says.
NotStarted stumbled(const ProgramStumble& what, const ProgramPlan& plan) {
  const std::string& path = what.in_folder ? plan.working_directory : plan.arguments.front();
  const auto because = [&](Why why) { return NotStarted{.why = why, .number = what.error, .path = path}; };
  if (what.in_folder) return because(Why::working_directory);
  switch (what.error) {
    case ENOENT:
      return because(Why::no_interpreter);
    case ENOEXEC:
      return because(Why::no_format);
    case EACCES:
    case EPERM:
      return because(Why::denied);
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return because(Why::no_resources);
    default:
      return because(Why::other);
  }
}

struct Pipe {
  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    reader = ends[0];
    writer = ends[1];
    return true;
  }
  void close_writer() {
    close(writer);
    writer = -1;
  }
  int reader = -1, writer = -1;
};

class Warden {
 public:
  Warden(int socket, Errand errand)
      : socket_(socket), errand_(std::move(errand)), out_(kept_output, kept_tail), err_(kept_errors, kept_tail) {}

  void run() {
    if (!start()) return;
    ProgramReply reply;
    write_all(socket_, bytes_of(reply));
    watch();
    clean_up();
  }

 private:
  bool start() {
    NotStarted refusal;
    const ProgramFile file = open_program(errand_.plan.arguments.front(), geteuid(), refusal);
    if (file.descriptor < 0) return refused(refusal);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    Pipe report;
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (timer_ < 0 || !out_pipe_.open() || !err_pipe_.open() || !report.open()) return refused_errno();
    const int self = getpid();
    program_ = fork();
    if (program_ == 0) become_program(errand_.plan, file, out_pipe_.writer, err_pipe_.writer, report.writer, self);
    if (program_ < 0) return refused_errno();
    close(file.descriptor);
    out_pipe_.close_writer();
    err_pipe_.close_writer();
    report.close_writer();
    ProgramStumble what;
    const bool became = read(report.reader, &what, sizeof what) != static_cast<ssize_t>(sizeof what);
    close(report.reader);
    if (!became) {
      waitpid(program_, nullptr, 0);
      return refused(stumbled(what, errand_.plan));
    }
    handle_ = pidfd_open(program_, 0);
    if (handle_ >= 0) return true;
    const int error = errno;
    answered_ = true;  // below
    clean_up();
    return refused({.why = Why::no_resources, .number = error, .path = ""});
  }
  bool refused(const NotStarted& refusal) {
    refuse(socket_, refusal);
    return false;
  }
  bool refused_errno() { return refused(stumbled({.in_folder = false, .error = errno}, errand_.plan)); }

  /// Until the program has ended, or its time to end by itself is over.
  void watch() {
    for (const Pipe* pipe : {&out_pipe_, &err_pipe_}) fcntl(pipe->reader, F_SETFL, O_NONBLOCK);
    while (true) {
      std::array<pollfd, 5> watched{{{handle_, POLLIN, 0},
                                     {out_pipe_.reader, POLLIN, 0},
                                     {err_pipe_.reader, POLLIN, 0},
                                     {told_to_end_ ? timer_ : -1, POLLIN, 0},
                                     {told_to_end_ ? -1 : socket_, POLLIN, 0}}};
      if (poll(watched.data(), watched.size(), -1) < 0) continue;
      if (watched[1].revents != 0) take(out_pipe_, out_);
      if (watched[2].revents != 0) take(err_pipe_, err_);
      if (watched[0].revents != 0) return take_end();
      if (watched[3].revents != 0) return;
      // The daemon has nothing more to say: what comes is the end of its patience, or its own end.
      if (watched[4].revents != 0) tell_to_end(ProgramFate::late);
      if (out_.total() + err_.total() > flood && !told_to_end_) tell_to_end(ProgramFate::flooded);
    }
  }

  /// One piece of what is there now; false when there is none.
  static bool take(Pipe& pipe, Capture& into) {
    std::array<char, 64 * 1024> piece;
    const auto size = read(pipe.reader, piece.data(), piece.size());
    if (size > 0) into.add({piece.data(), static_cast<std::size_t>(size)});
    const bool over = size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
    if (over) {
      close(pipe.reader);
      pipe.reader = -1;
    }
    return size > 0;
  }
  static void take_rest(Pipe& pipe, Capture& into) {
    for (int pieces = 0; pieces < 16 && pipe.reader >= 0; ++pieces) {
      if (!take(pipe, into)) return;
    }
  }

  void tell_to_end(ProgramFate fate) {
    kill(-program_, SIGTERM);
    told_to_end_ = true;
    end_.fate = fate;
    answer();  // the verdict is known, and what it does on SIGTERM changes nothing
    const auto milliseconds = static_cast<long>(errand_.kill_after_ms);
    const itimerspec grace{{}, {milliseconds / 1000, milliseconds % 1000 * 1'000'000 + 1}};
    timerfd_settime(timer_, 0, &grace, nullptr);
  }

  void take_end() {
    siginfo_t info{};
    waitid(P_PIDFD, static_cast<id_t>(handle_), &info, WEXITED);
    ended_ = true;
    if (told_to_end_) return;
    end_.fate = info.si_code == CLD_EXITED ? ProgramFate::exited : ProgramFate::signalled;
    end_.code = info.si_status;
    // What it wrote is in the pipes by now. Whoever else holds their other ends is not waited for.
    take_rest(out_pipe_, out_);
    take_rest(err_pipe_, err_);
  }

  /// Answers when nothing is left, or when what is left hangs in the kernel; returns when nothing is left.
  void clean_up() {
    if (!ended_) kill(-program_, SIGKILL);
    for (int look = 0; descendants_.reap(); ++look) {
      if (look == looks_before_the_answer) answer();
      descendants_.kill_children();
      poll(nullptr, 0, look < 5 ? 1 : look < looks_before_the_answer ? 10 : 1000);
    }
    answer();
  }

  void answer() {
    if (std::exchange(answered_, true)) return;
    ProgramReply reply;
    reply.kind = ProgramReply::Kind::ended;
    reply.fate = end_.fate;
    reply.code = end_.code;
    reply.left_behind = descendants_.killed();
    const auto size_of = [](const Captured& kept) {
      return CapturedSize{static_cast<std::uint32_t>(kept.head.size()), static_cast<std::uint32_t>(kept.tail.size()),
                          kept.dropped};
    };
    reply.out = size_of(out_.kept());
    reply.err = size_of(err_.kept());
    std::string all(bytes_of(reply));
    for (const Captured* kept : {&out_.kept(), &err_.kept()}) all.append(kept->head).append(kept->tail);
    write_all(socket_, all);
  }

  int socket_;
  Errand errand_;
  Pipe out_pipe_, err_pipe_;
  Capture out_, err_;
  Descendants descendants_;
  ProgramEnd end_;
  int program_ = -1;  // its process, session and group
  int handle_ = -1;   // its pidfd
  int timer_ = -1;
  bool told_to_end_ = false;
  bool ended_ = false;
  bool answered_ = false;
};

}  // namespace

void refuse_program(int socket, int error) { refuse(socket, {.why = Why::no_resources, .number = error, .path = ""}); }

void watch_over_program(int socket) {
  prctl(PR_SET_NAME, "vitald-warden");
  signal(SIGCHLD, SIG_DFL);
  auto errand = read_errand(socket);
  if (errand && !errand->plan.arguments.empty() && is_awaited(socket)) Warden(socket, std::move(*errand)).run();
  _exit(0);
}

}  // namespace vitald::probes::helper_wire
