#include "probes/supervisor_client.hpp"

#include <array>
#include <cmath>
#include <memory>

#include "probes/authorization.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/net/redirect.hpp"
#include "probes/tail.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::supervisor {
namespace {

constexpr std::size_t inline_answer = 64 * 1024;  // up to here parsing takes well under a millisecond
constexpr std::size_t most_programs = 2000;
constexpr int tail_bytes = 4096;
constexpr int shutdown_state = 6;
constexpr std::size_t most_name = 256;

constexpr std::array usual_sockets = {"/run/supervisor.sock", "/run/supervisor/supervisor.sock",
                                      "/run/supervisord.sock", "/tmp/supervisor.sock"};

struct Parsing {
  explicit Parsing(std::string text_) : text(std::move(text_)) {}
  void work() { answer = wire::xml_rpc_answer(text); }

  std::string text;
  Result<wire::XmlRpcAnswer> answer = wire::XmlRpcAnswer(wire::XmlRpcValue{});
};

int whole(double value) { return std::abs(value) < 1e9 ? static_cast<int>(value) : 0; }

Program read_program(const wire::XmlRpcValue& value) {
  Program program;
  program.name = value.text_of("name").substr(0, most_name);
  program.group = value.text_of("group").substr(0, most_name);
  program.state = whole(value.number_of("state"));
  program.start = value.number_of("start");
  program.stop = value.number_of("stop");
  program.now = value.number_of("now");
  program.exit_status = whole(value.number_of("exitstatus"));
  program.spawn_error = foreign_text(value.text_of("spawnerr"), 120);
  program.own_errors = !value.text_of("stderr_logfile").empty();
  return program;
}

ProbeFailure no_socket_anywhere() {
  std::string places;
  for (const char* path : usual_sockets) places += (places.empty() ? "" : ", ") + std::string(path);
  return refused("supervisord_not_running", "supervisord is not running: it has no socket at " + places,
                 "run: systemctl start supervisor; if its socket is elsewhere (file= in supervisord.conf), set socket");
}

ProbeFailure not_running(const ProbeFailure& why) {
  return refused("supervisord_not_running", "supervisord is not running: " + std::string(why.what()),
                 "run: systemctl start supervisor, and see its log, supervisord.log");
}

ProbeFailure denied(const ProbeFailure& why, const std::string& socket) {
  return unmeasured(why.reason, why.what(),
                    "let vitald's group use the socket: chown=root:vitald and chmod=0770 under [unix_http_server] in "
                    "supervisord.conf; until supervisord restarts: setfacl -m u:vitald:rw " +
                        socket);
}

}  // namespace

Client::Client(ProbeContext& context, const Config& config) : context_(context), config_(config) {
  request_.method = "POST";
  request_.compressed = false;
  request_.headers.emplace_back("Content-Type", "text/xml");
  request_.limits.body_bytes = wire::XmlRpcLimits{}.bytes + 1;
  request_.limits.decoded_bytes = request_.limits.body_bytes;
  if (config.url) {
    request_.url = *config.url;
    where_ = net::text_of(request_.url);
  } else {
    request_.url = *net::parse_url("http://localhost/RPC2");
    request_.unix_path = config.socket;
    where_ = config.socket;
  }
  if (config.password)
    request_.headers.emplace_back("Authorization", basic_authorization(config.user, reveal(*config.password)));
}

awaitable<net::HttpResponse> Client::post(std::string body) {
  request_.body = std::move(body);
  std::optional<ProbeFailure> failed;
  try {
    auto response = co_await net::fetch(context_.network, request_, context_.phases);
    co_return response;
  } catch (const ProbeFailure& failure) {
    failed = failure;
  }
  const bool local = !request_.unix_path.empty();
  if (local && failed->reason == "socket_missing" && config_.socket.empty()) throw *failed;
  if (local && (failed->reason == "socket_missing" || failed->reason == "socket_refused")) throw not_running(*failed);
  if (local && failed->reason.starts_with("denied")) throw denied(*failed, request_.unix_path);
  throw *failed;
}

/// At the first of the usual sockets that is there.
awaitable<net::HttpResponse> Client::post_somewhere(std::string body) {
  for (const char* path : usual_sockets) {
    request_.unix_path = path;
    where_ = path;
    try {
      auto response = co_await post(body);
      co_return response;
    } catch (const ProbeFailure& failure) {
      if (failure.reason != "socket_missing") throw;
    }
  }
  throw no_socket_anywhere();
}

void Client::check_status(const net::HttpResponse& response) const {
  if (response.status == 200 && !response.truncated) return;
  if (response.status == 401 && config_.password)
    throw unmeasured("wrong_password", where_ + ": supervisord does not take the check's user and password",
                     "compare them with username and password in supervisord.conf");
  if (response.status == 401)
    throw unmeasured("no_password", where_ + ": supervisord wants a user and a password",
                     "set user and password in the check");
  if (response.truncated) throw wrong("bad_reply", where_ + ": the answer is longer than 2 MiB");
  throw wrong("bad_reply",
              where_ + ": answered " + std::to_string(response.status) + " " + foreign_text(response.reason),
              "see whether it is supervisord that listens there");
}

awaitable<wire::XmlRpcAnswer> Client::call(std::string body) {
  net::HttpResponse response;
  if (request_.unix_path.empty() && !config_.url) {
    response = co_await post_somewhere(std::move(body));
  } else {
    response = co_await post(std::move(body));
  }
  check_status(response);
  peer_ = response.peer.empty() ? where_ : response.peer;
  const auto parsing = std::make_shared<Parsing>(std::move(response.body));
  const std::function<void()> job = [parsing] { parsing->work(); };
  if (parsing->text.size() > inline_answer) {
    co_await context_.workers.run(where_, job);
  } else {
    job();
  }
  if (!parsing->answer) throw wrong("bad_reply", where_ + ": " + parsing->answer.failure().what);
  co_return std::move(*parsing->answer);
}

awaitable<std::vector<Program>> Client::programs() {
  std::string body = wire::xml_rpc_call("supervisor.getAllProcessInfo");
  const auto answer = co_await call(std::move(body));
  if (const auto* fault = std::get_if<wire::XmlRpcFault>(&answer)) {
    if (fault->code == shutdown_state)
      throw wrong("shutting_down", "supervisord is shutting down, and its programs with it",
                  "see who stops it: journalctl -u supervisor");
    throw wrong("fault", where_ + ": supervisord answered with fault " + std::to_string(fault->code) + ", " +
                             foreign_text(fault->text, 120));
  }
  const auto& list = std::get<wire::XmlRpcValue>(answer);
  if (list.kind != wire::XmlRpcValue::Kind::list)
    throw wrong("bad_reply", where_ + ": the answer is no list of programs");
  if (list.items.size() > most_programs)
    throw wrong("bad_reply", where_ + ": more than " + std::to_string(most_programs) + " programs");
  std::vector<Program> programs;
  for (const auto& item : list.items) programs.push_back(read_program(item));
  co_return programs;
}

awaitable<std::string> Client::log_tail(Program program) {
  const char* const method = program.own_errors ? "supervisor.readProcessStderrLog" : "supervisor.readProcessStdoutLog";
  const std::string name = program.group + ":" + program.name;
  // supervisord fails where the end that is asked for begins within a character: one of four bytes begins none.
  for (int bytes = tail_bytes; bytes > tail_bytes - 4; --bytes) {
    const std::vector<std::variant<std::string, int>> parameters{name, -bytes, 0};
    std::string body = wire::xml_rpc_call(method, parameters);
    try {
      const auto answer = co_await call(std::move(body));
      const auto* value = std::get_if<wire::XmlRpcValue>(&answer);
      co_return value == nullptr ? std::string() : last_lines_of(value->text);
    } catch (const ProbeFailure&) {
      // The verdict stands without its evidence.
    }
  }
  co_return std::string();
}

}  // namespace vitald::probes::supervisor
