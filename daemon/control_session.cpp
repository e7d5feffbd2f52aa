#include "daemon/control_session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/api.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;

namespace {

constexpr auto plainly = asio::as_tuple(asio::use_awaitable);

std::string error_line(const std::string& sentence) { return R"({"error":)" + dump(sentence) + "}\n"; }

}  // namespace

ControlSession::ControlSession(Socket socket, const ControlSettings& settings, Operations& operations, std::string by)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      settings_(settings),
      operations_(operations),
      by_(std::move(by)) {}

void ControlSession::start(std::function<void()> gone) {
  auto finished = [gone = std::move(gone), self = shared_from_this()](const std::exception_ptr&) {
    self->close();
    gone();
  };
  asio::co_spawn(socket_.get_executor(), serve(shared_from_this()), std::move(finished));
}

void ControlSession::close() {
  boost::system::error_code ignored;
  deadline_.cancel();
  socket_.close(ignored);
}

void ControlSession::give_until(Duration length) {
  deadline_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(length));
  deadline_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || self == nullptr) return;
    if (self->deadline_.expiry() <= asio::steady_timer::clock_type::now()) self->close();
  });
}

asio::awaitable<void> ControlSession::serve(std::shared_ptr<ControlSession> self) {
  self->give_until(self->settings_.request_time);
  const std::string request = co_await self->read_request();
  if (request.empty()) co_return;
  self->deadline_.cancel();  // the command takes its own time; each piece of its answer has a bound
  if (request.size() > self->settings_.request_bytes) {
    const std::string line =
        error_line("the request is larger than " + std::to_string(self->settings_.request_bytes) + " bytes");
    co_await self->write(line);
    co_return;
  }
  co_await answer_command(request, self->by_, self->settings_.verify_width, self->operations_, *self);
}

asio::awaitable<std::string> ControlSession::read_request() {
  std::string request;
  while (request.size() <= settings_.request_bytes) {
    const auto [error, size] = co_await socket_.async_read_some(asio::buffer(block_), plainly);
    if (error) co_return std::string();
    const std::string_view come(block_.data(), size);
    const auto end = come.find('\n');
    request += come.substr(0, end);
    if (end != std::string_view::npos) break;
  }
  co_return request;
}

asio::awaitable<bool> ControlSession::write(std::string lines) {
  give_until(settings_.write_time);
  const auto [error, size] = co_await asio::async_write(socket_, asio::buffer(lines), plainly);
  deadline_.cancel();
  co_return !error && size == lines.size();
}

void ControlSession::refuse(Socket socket, const std::string& sentence) {
  // A new socket's buffer takes one line without waiting; if not, the client is none the worse for a silent end.
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  const std::string line = error_line(sentence);
  socket.write_some(asio::buffer(line), ignored);
}

}  // namespace vitald::daemon
