#include "daemon/ping_route.hpp"

#include <charconv>
#include <utility>

namespace vitald::daemon {
namespace {

using probes::Ping;
constexpr std::string_view prefix = "/ping/";

Failure no_such_ping() {
  return {"", "A ping is /ping/CHECK, or that with /start, /fail or an exit code from 0 to 255 behind it."};
}

bool read_ending(std::string_view word, Ping& ping) {
  if (word == "start") {
    ping.kind = Ping::Kind::start;
    return true;
  }
  if (word == "fail") {
    ping.kind = Ping::Kind::failure;
    return true;
  }
  int code = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), code);
  if (error != std::errc{} || end != word.data() + word.size() || code < 0 || code > 255) return false;
  ping.exit_code = code;
  ping.kind = code == 0 ? Ping::Kind::success : Ping::Kind::failure;
  return true;
}

Answer answer_of(PingReply reply) {
  Answer answer{.status = reply.status, .body = std::move(reply.says) + "\n"};
  if (reply.retry_after > 0) answer.headers.emplace_back("Retry-After", std::to_string(reply.retry_after));
  return answer;
}

}  // namespace

bool is_ping_path(std::string_view path) { return path.starts_with(prefix); }

Result<PingAsk> parse_ping(const HttpAsk& ask) {
  std::string_view rest = ask.path;
  rest.remove_prefix(prefix.size());
  const auto slash = rest.find('/');
  PingAsk asked;
  asked.check = std::string(rest.substr(0, slash));
  if (asked.check.empty()) return no_such_ping();
  if (slash != std::string_view::npos && !read_ending(rest.substr(slash + 1), asked.ping)) return no_such_ping();
  asked.ping.output = ask.body;
  asked.ping.token = ask.token.empty() ? ask.parameter("token") : ask.token;
  return asked;
}

boost::asio::awaitable<Answer> answer_ping(const HttpAsk& ask, Operations& operations) {
  if (ask.method != "GET" && ask.method != "HEAD" && ask.method != "POST") {
    co_return Answer{
        .status = 405, .body = "A ping is a GET, a HEAD or a POST.\n", .headers = {{"Allow", "GET, HEAD, POST"}}};
  }
  if (ask.foreign_page) {
    co_return Answer{.status = 403, .body = "A web page of another site may not ping. Programs may.\n"};
  }
  const auto asked = parse_ping(ask);
  if (!asked) co_return Answer{.status = 404, .body = asked.failure().what + "\n"};
  PingReply reply = co_await operations.ping(asked->check, asked->ping);
  co_return answer_of(std::move(reply));
}

}  // namespace vitald::daemon
