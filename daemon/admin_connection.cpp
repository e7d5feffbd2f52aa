#include "daemon/admin_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "daemon/admin_routes.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;

namespace {

constexpr auto plainly = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t most_lingering_bytes = 64 * 1024;

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<const AdminSettings> settings,
                       Operations& operations)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      settings_(std::move(settings)),
      operations_(operations) {
  boost::system::error_code gone;
  peer_ = socket_.remote_endpoint(gone).address();
}

void Connection::start(std::function<void()> gone) {
  auto finished = [gone = std::move(gone), self = shared_from_this()](const std::exception_ptr&) {
    self->close();
    gone();
  };
  asio::co_spawn(socket_.get_executor(), serve(shared_from_this()), std::move(finished));
}

void Connection::close() {
  boost::system::error_code ignored;
  deadline_.cancel();
  socket_.close(ignored);
}

void Connection::finish() {
  last_ = true;
  if (!answering_) close();
}

void Connection::give_until(Duration length) {
  deadline_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(length));
  deadline_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || self == nullptr) return;
    // An expiry that was queued already when the timer was set anew does not count.
    if (self->deadline_.expiry() <= asio::steady_timer::clock_type::now()) self->close();
  });
}

Connection::Nothing Connection::serve(std::shared_ptr<Connection> self) {
  self->give_until(self->settings_->header_time);
  while (true) {
    const bool come = co_await self->receive();
    if (!come) co_return;
    const HttpAsk ask = self->decoder_.ask();
    self->answering_ = true;
    self->give_until(self->settings_->answer_time);
    const Answer answer = co_await answer_request(ask, self->settings_->host_names, self->operations_);
    const bool goes_on = co_await self->respond(ask, answer);
    self->answering_ = false;
    if (!goes_on) break;
    self->give_until(self->input_.empty() ? self->settings_->idle_time : self->settings_->header_time);
  }
  co_await self->linger();
}

Connection::YesNo Connection::receive() {
  bool begun = !input_.empty();
  while (true) {
    const auto state = decoder_.feed(input_);
    if (state == HttpDecoder::State::complete) co_return true;
    if (state == HttpDecoder::State::bad) {
      HttpAsk nothing;
      nothing.keep_alive = false;
      answering_ = true;
      give_until(settings_->answer_time);
      co_await respond(nothing, decoder_.refusal());
      co_await linger();
      co_return false;
    }
    const auto [error, size] = co_await socket_.async_read_some(asio::buffer(block_), plainly);
    if (error) co_return false;
    input_.append(block_.data(), size);
    if (!begun) {  // the time for the header counts from its first byte
      begun = true;
      give_until(settings_->header_time);
    }
  }
}

Connection::YesNo Connection::respond(const HttpAsk& ask, const Answer& answer) {
  const bool sliced = answer.more != nullptr;
  BodyShape shape;
  shape.chunked = sliced && ask.version == 11;
  shape.until_close = sliced && ask.version == 10;
  shape.length = answer.body.size();
  const bool keep = ask.keep_alive && !last_ && !shape.until_close;
  std::string out = answer_head(answer, shape, keep);
  bool more = ask.method != "HEAD";
  bool first = true;
  while (more) {
    std::string piece;
    more = false;
    if (first) piece = answer.body;
    if (sliced) more = answer.more(piece);
    first = false;
    if (!shape.chunked) out += piece;
    if (shape.chunked && !piece.empty()) append_chunk(out, piece);
    if (shape.chunked && !more) append_chunk(out, "");
    const bool sent = co_await send(out);
    if (!sent) co_return false;
    out.clear();
  }
  if (!out.empty()) {
    const bool sent = co_await send(out);
    if (!sent) co_return false;
  }
  co_return keep && !last_;
}

Connection::YesNo Connection::send(const std::string& bytes) {
  const auto [error, size] = co_await asio::async_write(socket_, asio::buffer(bytes), plainly);
  co_return !error && size == bytes.size();
}

Connection::Nothing Connection::linger() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  give_until(std::chrono::seconds(1));
  answering_ = false;
  std::size_t drained = 0;
  while (drained < most_lingering_bytes) {
    const auto [error, size] = co_await socket_.async_read_some(asio::buffer(block_), plainly);
    if (error) co_return;
    drained += size;
  }
}

}  // namespace vitald::daemon
