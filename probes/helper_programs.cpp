#include "probes/helper_programs.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <utility>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/helper_wire.hpp"

namespace vitald::probes {

namespace asio = boost::asio;
using helper_wire::ProgramReply;
using helper_wire::ProgramRequest;

/// Who runs and who waits. Shared with the handlers that wait for wardens to be gone, which may outlive the Helper.
struct Programs::Gate {
  /// One that stands in line; its timer is cancelled when it may be its turn.
  struct Waiter {
    Waiter(Gate& at, asio::steady_timer& rings) : gate(at), timer(rings) { gate.waiting.push_back(this); }
    Waiter(const Waiter&) = delete;
    ~Waiter() { gate.waiting.remove(this); }
    Gate& gate;
    asio::steady_timer& timer;
    bool woken = false;
  };

  bool full() const { return running >= most_programs; }
  bool open_for(const std::string& key) const { return !full() && !ending.contains(key); }
  void enter() { running += 1; }
  void give_up(const std::string& key) { ending[key] += 1; }
  void leave(const std::string& key) {
    running -= 1;
    const auto found = ending.find(key);
    if (found != ending.end() && --found->second == 0) ending.erase(found);
    for (Waiter* waiter : waiting) {
      waiter->woken = true;
      waiter->timer.cancel();
    }
  }

  std::size_t running = 0;            // until nothing of the program is left
  std::map<std::string, int> ending;  // by arguments: answered or given up, but not gone yet
  std::list<Waiter*> waiting;
  bool closed = false;
};

namespace {

/// One set of arguments is one key; no argument holds a zero.
std::string key_of(const ProgramStart& start) {
  std::string key;
  for (const std::string& each : start.arguments) key += each + '\0';
  return key;
}

/// The head and the texts that follow it.
std::string request_of(const ProgramStart& start) {
  std::string texts = start.working_directory + '\0';
  for (const std::string& each : start.arguments) texts += each + '\0';
  for (const auto& [name, value] : start.environment) texts += name + "=" + value + '\0';
  ProgramRequest head;
  head.size = static_cast<std::uint32_t>(texts.size());
  head.arguments = static_cast<std::uint32_t>(start.arguments.size());
  head.variables = static_cast<std::uint32_t>(start.environment.size());
  head.kill_after_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(start.kill_after).count());
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + texts;
}

/// Both ends of a run's stream.
struct Pair {
  Pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      throw failure_from(std::error_code(errno, std::generic_category()), "make a socket");
    ours = ends[0];
    theirs = ends[1];
  }
  Pair(const Pair&) = delete;
  ~Pair() {
    if (ours >= 0) ::close(ours);
    ::close(theirs);
  }
  int ours = -1, theirs = -1;
};

void send_descriptor(int helper, int descriptor) {
  helper_wire::Request request;
  iovec piece{&request, helper_wire::request_head};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const extra = CMSG_FIRSTHDR(&message);
  extra->cmsg_level = SOL_SOCKET;
  extra->cmsg_type = SCM_RIGHTS;
  extra->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(extra), &descriptor, sizeof descriptor);
  if (sendmsg(helper, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
  // ETOOMANYREFS: more descriptors are on their way than we may have open.
  if (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM && errno != ETOOMANYREFS) throw gone_failure();
  throw unmeasured("helper_busy", "vitald's helper process does not take more programs");
}

NotStarted refusal_of(const ProgramReply& reply, const std::string& texts) {
  return {.why = reply.why, .number = reply.number, .path = texts.substr(0, reply.path)};
}

ProgramEnd end_of(const ProgramReply& reply, const std::string& texts) {
  ProgramEnd end{.fate = reply.fate, .code = reply.code, .left_behind = reply.left_behind, .out = {}, .err = {}};
  std::size_t at = 0;
  const auto next = [&](std::size_t size) {
    at += size;
    return texts.substr(at - size, size);
  };
  end.out.head = next(reply.out.head);
  end.out.tail = next(reply.out.tail);
  end.out.dropped = reply.out.dropped;
  end.err.head = next(reply.err.head);
  end.err.tail = next(reply.err.tail);
  end.err.dropped = reply.err.dropped;
  return end;
}

/// The stream to one warden. Whoever holds it last is told when the warden is gone, and with it all of its program.
struct Stream {
  Stream(const asio::any_io_executor& loop, int ours) : line(loop, ours) {}
  asio::posix::stream_descriptor line;
  std::array<char, 256> rest{};
  bool started = false;
  bool expired = false;
};

void end_program(Stream& stream) { shutdown(stream.line.native_handle(), SHUT_WR); }

/// Reads what is still said until the warden is gone.
void await_end(const std::shared_ptr<Stream>& stream, std::function<void()> gone) {
  const auto buffer = asio::buffer(stream->rest);
  stream->line.async_read_some(
      buffer, [stream, gone = std::move(gone)](const boost::system::error_code& error, std::size_t) mutable {
        if (error) return gone();
        await_end(stream, std::move(gone));
      });
}

/// The warden says that the program runs before it says how it ended. Where it has not said so in time, nobody knows
/// whether it ever will: then it is not the program that is slow.
void expire(Stream& stream) {
  stream.expired = true;
  end_program(stream);
  if (!stream.started) stream.line.cancel();
}

asio::awaitable<ProgramReply> read_reply(Stream& stream, std::string& texts) {
  ProgramReply reply;
  const auto head = asio::buffer(&reply, sizeof reply);
  co_await asio::async_read(stream.line, head, asio::use_awaitable);
  texts.assign(std::min(reply.texts(), helper_wire::longest_texts), '\0');
  const auto tail = asio::buffer(texts);
  co_await asio::async_read(stream.line, tail, asio::use_awaitable);
  co_return reply;
}

asio::awaitable<ProgramReply> converse(Stream& stream, std::string& texts) {
  auto reply = co_await read_reply(stream, texts);
  if (reply.kind != ProgramReply::Kind::started) co_return reply;
  stream.started = true;
  reply = co_await read_reply(stream, texts);
  co_return reply;
}

/// Sees to it that the program ends when its run does, however that comes about.
template <class Gate>
class Lease {
 public:
  Lease(std::shared_ptr<Gate> gate, std::string key, std::shared_ptr<Stream> stream)
      : gate_(std::move(gate)), key_(std::move(key)), stream_(std::move(stream)) {
    gate_->enter();
  }
  Lease(const Lease&) = delete;
  ~Lease() {
    end_program(*stream_);
    if (gate_->closed) return;
    gate_->give_up(key_);
    await_end(stream_, [gate = gate_, key = key_] { gate->leave(key); });
  }

 private:
  std::shared_ptr<Gate> gate_;
  std::string key_;
  std::shared_ptr<Stream> stream_;
};

/// The request is in the socket before anybody reads it: it fits into the buffer, and whoever answers may hang up.
std::shared_ptr<Stream> open_stream(const asio::any_io_executor& loop, int helper, const std::string& request) {
  Pair pair;
  const auto sent = send(pair.ours, request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size()))
    throw unmeasured("too_long", "the arguments and the environment of the program are too long together");
  send_descriptor(helper, pair.theirs);
  return std::make_shared<Stream>(loop, std::exchange(pair.ours, -1));
}

ProbeFailure no_place(bool full, const std::string& program, Duration patience) {
  if (full)
    return unmeasured(
        "programs_busy",
        std::to_string(most_programs) + " programs ran already, and none ended within " + say_duration(patience),
        "let fewer exec checks run at a time, or see which of them hang");
  return unmeasured("earlier_run:" + program,
                    "an earlier run of " + program + " hangs in the kernel: it was killed and is still there",
                    "see where it hangs: ps -eo pid,stat,wchan,args | grep " + program);
}

}  // namespace

Programs::Programs(asio::any_io_executor loop, int helper)
    : loop_(std::move(loop)), helper_(helper), gate_(std::make_shared<Gate>()) {}

asio::awaitable<void> Programs::wait_for_place(const std::string& key, const std::string& program, Duration patience,
                                               asio::steady_timer& timer) {
  const auto gate = gate_;
  if (gate->open_for(key)) co_return;
  Gate::Waiter waiter(*gate, timer);
  while (!gate->open_for(key)) {
    waiter.woken = false;
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await timer.async_wait(token);
    if (gate->open_for(key)) co_return;
    if (!error) throw no_place(gate->full(), program, patience);
    if (!waiter.woken) throw boost::system::system_error(asio::error::operation_aborted);
  }
}

asio::awaitable<ProgramEnd> Programs::run(ProgramStart start, Duration patience) {
  const std::string key = key_of(start), request = request_of(start), program = start.arguments.front();
  asio::steady_timer timer(loop_);
  timer.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(patience));
  co_await wait_for_place(key, program, patience, timer);

  const auto stream = open_stream(loop_, helper_, request);
  const Lease lease(gate_, key, stream);
  timer.async_wait([waiting = std::weak_ptr<Stream>(stream)](const boost::system::error_code& error) {
    const auto late = waiting.lock();
    if (!error && late != nullptr) expire(*late);
  });
  std::string texts;
  ProgramReply reply;
  boost::system::error_code failed;
  try {
    reply = co_await converse(*stream, texts);
  } catch (const boost::system::system_error& error) {
    failed = error.code();
  }
  if (failed && stream->expired && !stream->started)
    throw unmeasured("helper_busy",
                     "vitald's helper process did not start the program within " + say_duration(patience));
  if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);
  if (failed) throw gone_failure();
  if (reply.kind == ProgramReply::Kind::refused) throw not_started(refusal_of(reply, texts));
  co_return end_of(reply, texts);
}

void Programs::close() { gate_->closed = true; }

}  // namespace vitald::probes
