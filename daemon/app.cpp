#include "daemon/app.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <csignal>
#include <random>
#include <utility>

#include "config/units.hpp"
#include "daemon/admin_http.hpp"
#include "daemon/control.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_runs = 8192;
constexpr std::size_t reserved_descriptors = 256;  // store, receivers, listeners, log: never taken by probes
constexpr Duration drain_patience = 8s;            // of the 10 s that a stop may take

/// Raises the soft limit to the hard one, and tells how many probes may be out at a time.
std::size_t places_for_probes() {
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return 512;
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  const std::size_t usable = descriptors.rlim_cur > 2 * reserved_descriptors
                                 ? descriptors.rlim_cur - reserved_descriptors
                                 : descriptors.rlim_cur / 2;
  return std::clamp<std::size_t>(usable, 8, most_runs);
}

std::array<std::uint64_t, 4> entropy() {
  std::random_device device;
  std::array<std::uint64_t, 4> words{};
  for (auto& word : words) word = (std::uint64_t{device()} << 32) | device();
  return words;
}

}  // namespace

App::App(Configuration configuration, probes::HelperProcess helper, ServiceManager service, Log& log)
    : log_(log),
      service_(std::move(service)),
      configuration_(std::move(configuration)),
      network_(net::make_network(loop_.get_executor(), clock_)),
      workers_(probes::make_workers(loop_.get_executor())),
      helper_(std::move(helper).attach(loop_.get_executor())),
      signals_(loop_),
      watchdog_timer_(loop_),
      started_(clock_.now().wall) {}

App::~App() = default;

Result<void> App::run() {
  if (auto opened = open(); !opened) return opened;
  if (auto listening = listen(); !listening) return listening;
  wait_for_signals();
  arm_watchdog();
  asio::post(loop_, [this] {
    pipeline_->configure(configuration_);
    pipeline_->decide(alerting::Elapsed{});  // what the restored state owes: re-probes, checks that were removed
    // A trouble of the process before this one ends here: the file was good, and the store opened.
    pipeline_->decide(alerting::SelfRecovered{"reload", "the configuration was loaded"});
    if (!recorder_->degraded()) pipeline_->decide(alerting::SelfRecovered{"store", "vitald saves its state again"});
    ready_ = true;
    service_.ready(status_line());
    log_.info("vitald watches " + std::to_string(configuration_.checks.size()) + " checks on " +
              configuration_.instance + "; status page: " + page_address());
  });
  loop_.run();
  return {};
}

Result<void> App::open() {
  const Recorder::Paths paths{configuration_.state, configuration_.runtime};
  auto opened = Recorder::open(paths, loop_.get_executor(), clock_, recorder_callbacks());
  if (!opened) return opened.failure();
  recorder_ = std::move(opened->recorder);

  std::vector<alerting::Notification> owed = opened->snapshot.outbox;
  for (alerting::Notification& notification : owed) notification.may_repeat = true;
  const auto random = entropy();
  engine_.emplace(configuration_.rules, std::move(opened->snapshot), clock_.now(), random);
  sender_ =
      std::make_unique<Sender>(loop_.get_executor(), *network_, clock_, instruments_, sender_callbacks(), random[0]);
  sender_->configure(configuration_.receivers);

  const ProbeKit kit{*network_, *workers_, *helper_, host_, clock_, &hearing_.emplace(clock_.now())};
  runner_ = std::make_unique<Runner>(loop_.get_executor(), kit, places_for_probes());
  const Pipeline::Parts parts{clock_, *runner_, *engine_, *recorder_, *sender_, board_, instruments_};
  pipeline_ = std::make_unique<Pipeline>(loop_.get_executor(), configuration_.instance, parts);
  asio::post(loop_, [this, owed = std::move(owed)]() mutable { sender_->enqueue(std::move(owed)); });
  instruments_.reload(true, clock_.now().wall);
  return {};
}

Recorder::Callbacks App::recorder_callbacks() {
  return {
      .release = [this](std::vector<alerting::Notification> safe) { sender_->enqueue(std::move(safe)); },
      .failed =
          [this](std::string summary, std::string remedy) {
            store_problem_ = summary;
            instruments_.store_degraded(true);
            log_.error(summary + "; " + remedy);
            pipeline_->decide(alerting::SelfTrouble{"store", Severity::p2, std::move(summary), std::move(remedy), ""});
          },
      .recovered =
          [this](std::string summary) {
            store_problem_.clear();
            instruments_.store_degraded(false);
            log_.info(summary);
            pipeline_->decide(alerting::SelfRecovered{"store", std::move(summary)});
          },
  };
}

Sender::Callbacks App::sender_callbacks() {
  return {
      .delivered = [this](alerting::Delivered delivered) { pipeline_->decide(std::move(delivered)); },
      .trouble =
          [this](alerting::SelfTrouble trouble) {
            log_.error(trouble.summary);
            pipeline_->decide(std::move(trouble));
          },
      .recovered = [this](alerting::SelfRecovered recovered) { pipeline_->decide(std::move(recovered)); },
      .handle =
          [this](const alerting::NotificationId& id) {
            return alerting::Handle(engine_->handle(id.incident, id.receiver));
          },
      .when_saved = [this](std::function<void()> done) { recorder_->flush(std::move(done)); },
  };
}

Result<void> App::listen() {
  AdminSettings settings;
  settings.host = configuration_.listen.host;
  settings.port = configuration_.listen.port;
  settings.host_names = configuration_.listen.host_names;
  settings.host_names.push_back(configuration_.instance);
  auto admin = AdminHttp::open(loop_.get_executor(), std::move(settings), *this);
  if (!admin) return admin.failure();
  admin_ = std::move(*admin);
  auto control = ControlSocket::open(loop_.get_executor(), configuration_.runtime / "control.sock", *this);
  if (!control) return control.failure();
  control_ = std::move(*control);
  return {};
}

/// Where a person on this host finds the page.
std::string App::page_address() const {
  const std::string& host = configuration_.listen.host;
  const bool everywhere = host == "0.0.0.0" || host == "::";
  const std::string shown = everywhere ? "127.0.0.1" : host.find(':') != std::string::npos ? "[" + host + "]" : host;
  return "http://" + shown + ":" + std::to_string(admin_->port()) + "/";
}

// --- signals ---

void App::wait_for_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    on_signal(signal);
    wait_for_signals();
  });
}

void App::on_signal(int signal) {
  if (signal == SIGHUP) {
    asio::co_spawn(loop_, reload_and_log(), asio::detached);
    return;
  }
  if (stopping_) {
    log_.warning("stopped at once by a second signal; what was not sent stays in the store");
    loop_.stop();
    return;
  }
  stopping_ = true;
  asio::co_spawn(loop_, shut_down(), asio::detached);
}

asio::awaitable<void> App::shut_down() {
  service_.stopping();
  log_.info("vitald stops");
  ready_ = false;
  pipeline_->stop();
  runner_->stop();
  admin_->stop();
  control_->stop();
  pipeline_->decide(alerting::Stopping{});

  // What was decided is saved and so released, what is released and under way may finish, and its outcome is saved too.
  // What is still queued after that is sent after the next start.
  const Steady patience = clock_.now().steady + drain_patience;
  co_await saved(patience);
  co_await sender_->drained(patience);
  co_await saved(patience + 1s);
  loop_.stop();
}

/// Returns when everything submitted so far is safe, or will not be: whether that came before `until`.
asio::awaitable<bool> App::saved(Steady until) {
  // Shared, since the disk may answer after we have gone.
  const auto safe = std::make_shared<asio::steady_timer>(loop_, until);
  recorder_->flush([safe] { safe->cancel(); });
  boost::system::error_code ended;
  co_await safe->async_wait(asio::redirect_error(asio::use_awaitable, ended));
  co_return ended == asio::error::operation_aborted;
}

// --- the watchdog: fed only when the whole road was travelled since the last time (docs/guarantees.md R22) ---

void App::arm_watchdog() {
  if (service_.watchdog_interval() == Duration::zero()) return;
  watchdog_timer_.expires_after(service_.watchdog_interval());
  watchdog_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    check_watchdog();
    arm_watchdog();
  });
}

void App::check_watchdog() {
  const std::uint64_t passes = pipeline_->passes();
  const auto next = pipeline_->next_pass();
  const bool schedule_moves = passes != passes_seen_ || !next || *next > clock_.now().steady;
  if (!schedule_moves || flush_out_) return;  // the recorder has not answered since the last round
  passes_seen_ = passes;
  flush_out_ = true;
  recorder_->flush([this] {
    flush_out_ = false;
    service_.alive();
    service_.status(status_line());
  });
}

std::string App::status_line() const {
  std::size_t attention = 0;
  for (const auto& row : board_.rows()) attention += row->view.settled != Status::ok ? 1U : 0U;
  return std::to_string(configuration_.checks.size()) + " checks, " + std::to_string(attention) + " need attention" +
         (store_problem_.empty() ? "" : "; state is not saved");
}

}  // namespace vitald::daemon
