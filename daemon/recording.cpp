#include "daemon/recording.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "config/units.hpp"

namespace vitald::daemon {
namespace {

// A batch that brings nothing to tell and more checks than this is the regular refresh of what checks remember. It is
// worth its place in the store, but not a long write on the loop.
constexpr std::size_t refresh_from = 256;

bool worth_owing(const alerting::Effects& effects) {
  return !effects.incidents.empty() || !effects.outbox.empty() || !effects.settled.empty() ||
         effects.checks.size() < refresh_from;
}

constexpr const char* meanwhile = "alerts go out from memory meanwhile";

}  // namespace

Recording::Recording(std::shared_ptr<Vault> vault, Owed owed, boost::asio::any_io_executor loop, const Clock& clock,
                     Recorder::Callbacks callbacks, const RecorderLimits& limits)
    : vault_(std::move(vault)),
      owed_(std::move(owed)),
      loop_(loop),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      limits_(limits),
      deadline_(loop),
      retry_(loop),
      disk_(loop, limits.farewell) {}

Recording::~Recording() {
  auto last = std::make_shared<std::vector<alerting::Effects>>();
  if (!backlog_.empty()) last->push_back(backlog_.effects());
  for (Waiting& waiting : waiting_) last->push_back(std::move(waiting.effects));
  // The vault is closed there too, since closing may wait for the disk.
  disk_.run(
      [vault = std::move(vault_), last, reopen = reopen_first_, now = clock_.now().wall] {
        if (last->empty()) return;
        if (reopen && !vault->reopen(now)) return;
        (void)!vault->commit(*last);
      },
      [] {});
}

void Recording::start(const RecorderStart& start) {
  open_.apply(start.snapshot);
  if (start.trouble) {
    backlog_.apply(start.owed);
    reopen_first_ = true;
    degrade(start.trouble->sentence(), start.remedy);
    retry_later();
  } else if (!start.note.empty()) {
    post([this, note = start.note] {
      callbacks_.failed("vitald found its state damaged: " + note,
                        "see the health of the disk under the state directory");
      callbacks_.recovered("vitald saves its state again; " + note);
    });
  }
}

void Recording::submit(alerting::Effects effects) {
  if (effects.nothing_to_store()) return;
  effects.requests.clear();
  open_.apply(effects);
  if (degraded_) {
    backlog_.apply(effects);
    keep(effects);
    release(std::move(effects.outbox), true);
    return;
  }
  waiting_.push_back({std::move(effects), clock_.now().steady});
  launch(Launch::if_needed);
}

void Recording::launch(Launch when) {
  if (flight_ || (when == Launch::if_needed && waiting_.empty() && backlog_.empty())) return;
  auto group = std::make_shared<std::vector<alerting::Effects>>();
  Flight flight;
  Steady since = clock_.now().steady;
  // A handle that failed is opened again, and the file may turn out to be lost with all that was committed long ago:
  // what is still open goes in once more, first, in the same transaction. That it is mostly there already does no harm.
  if (reopen_first_) group->push_back(open_.effects());
  if (!backlog_.empty()) {
    group->push_back(backlog_.effects());
    backlog_.clear();
  }
  flight.kept = group->size();
  if (!waiting_.empty()) since = waiting_.front().since;
  for (Waiting& waiting : waiting_) {
    const auto& outbox = waiting.effects.outbox;
    flight.to_release.insert(flight.to_release.end(), outbox.begin(), outbox.end());
    group->push_back(std::move(waiting.effects));
  }
  waiting_.clear();
  auto landing = std::make_shared<Landing>();
  const auto job = [vault = vault_, group, landing, reopen = reopen_first_, now = clock_.now().wall] {
    if (reopen) {
      auto note = vault->reopen(now);
      if (note) landing->note = std::move(*note);
      if (!note) landing->failure = note.failure();
    }
    if (!landing->failure) {
      if (auto committed = vault->commit(*group); !committed) landing->failure = committed.failure();
    }
    if (landing->failure) landing->remedy = vault->remedy();
  };
  flight.group = group;
  flight.number = ++flights_;
  flight_ = std::move(flight);
  disk_.run(job, [weak = weak_from_this(), landing] {
    if (const auto self = weak.lock()) self->landed(*landing);
  });
  deadline_.expires_at(since + limits_.patience);
  deadline_.async_wait([weak = weak_from_this(), number = flights_](const boost::system::error_code& error) {
    const auto self = weak.lock();
    // By number: the wait may have ended just before this flight landed and the next one took off.
    if (self && !error && self->flight_ && self->flight_->number == number) self->overdue();
  });
}

void Recording::landed(const Landing& landing) {
  deadline_.cancel();
  reopen_first_ = landing.failure.has_value();
  if (!landing.note.empty()) notes_ += "; " + landing.note;
  if (landing.failure) {
    crashed(landing);
  } else {
    arrived();
  }
  settle_flushes();
}

void Recording::arrived() {
  const Flight flight = std::move(*flight_);
  flight_.reset();
  release(flight.to_release, false);
  if (degraded_) {
    degraded_ = false;
    retry_.cancel();
    const std::string notes = std::exchange(notes_, "");
    post([this, notes] { callbacks_.recovered("vitald saves its state again" + notes); });
  }
  launch(Launch::if_needed);
  // Only now is everything that the file holds in the store. A failure to empty it is harmless: it is replayed twice.
  if (!flight_ || flight_->kept == 0) (void)!owed_.clear();
}

void Recording::crashed(const Landing& landing) {
  if (!degraded_) {
    degrade(landing.failure->sentence(), landing.remedy);
  }
  // Under what was submitted since: that is newer.
  Ledger merged;
  for (const auto& effects : *flight_->group) merged.apply(effects);
  merged.apply(backlog_.effects());
  backlog_ = std::move(merged);
  flight_.reset();
  retry_later();
}

void Recording::overdue() {
  flight_->overdue = true;
  if (!degraded_) {
    degrade("the disk has not answered for " + say_duration(limits_.patience),
            std::string("see dmesg and iostat -x 1; ") + meanwhile);
  }
  settle_flushes();
}

void Recording::degrade(const std::string& summary, const std::string& remedy) {
  degraded_ = true;
  // In the order in which they were submitted: what flies, then what waits.
  if (flight_) {
    for (std::size_t i = flight_->kept; i < flight_->group->size(); ++i) keep((*flight_->group)[i]);
    flight_->kept = flight_->group->size();
    release(std::exchange(flight_->to_release, {}), true);
  }
  while (!waiting_.empty()) {
    alerting::Effects effects = std::move(waiting_.front().effects);
    waiting_.pop_front();
    backlog_.apply(effects);
    keep(effects);
    release(std::move(effects.outbox), true);
  }
  std::string text = "vitald cannot save its state: " + summary;
  if (!owed_problem_.empty())
    text += "; nor can it note what goes out meanwhile (" + owed_problem_ + "), which a restart would forget";
  post([this, text, remedy] { callbacks_.failed(text, remedy); });
}

void Recording::retry_later() {
  retry_.expires_after(limits_.retry);
  retry_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!self || error || !self->degraded_ || self->flight_) return;
    self->launch(Launch::always);
  });
}

void Recording::flush(std::function<void()> done) {
  if (degraded_) launch(Launch::always);
  const bool aboard = waiting_.empty() && backlog_.empty();  // what was submitted has landed, or flies
  flushes_.push_back({aboard ? flights_ : flights_ + 1, std::move(done)});
  settle_flushes();
}

void Recording::history(HistoryQuery query, std::function<void(Recorder::History)> done) {
  const auto found = std::make_shared<std::optional<Recorder::History>>();
  disk_.run([vault = vault_, query = std::move(query), found] { *found = vault->history(query); },
            [found, done = std::move(done)] { done(std::move(**found)); });
}

void Recording::settle_flushes() {
  const bool quiet = waiting_.empty() && (!flight_ || flight_->overdue);
  const std::uint64_t landed = flight_ ? flights_ - 1 : flights_;
  std::vector<Flush> pending;
  for (Flush& flush : std::exchange(flushes_, {})) {
    if (quiet || flush.flight <= landed) {
      post(std::move(flush.done));
    } else {
      pending.push_back(std::move(flush));
    }
  }
  flushes_ = std::move(pending);
}

void Recording::keep(const alerting::Effects& effects) {
  if (!worth_owing(effects)) return;
  const auto kept = owed_.append(effects, [this] { return everything_owed(); });
  owed_problem_ = kept ? "" : kept.failure().sentence();
}

alerting::Effects Recording::everything_owed() const {
  Ledger all;
  if (flight_) {
    for (const auto& effects : *flight_->group) all.apply(effects);
  }
  all.apply(backlog_.effects());
  return all.effects();
}

void Recording::release(std::vector<alerting::Notification> notifications, bool unsaved) {
  if (notifications.empty()) return;
  for (auto& notification : notifications) notification.unsaved = unsaved;
  post([this, list = std::move(notifications)] { callbacks_.release(list); });
}

/// Never from inside submit(): whoever submits is in the middle of something.
void Recording::post(std::function<void()> callback) {
  boost::asio::post(loop_, [weak = weak_from_this(), callback = std::move(callback)] {
    if (const auto self = weak.lock()) callback();
  });
}

namespace {

class OwningRecorder final : public Recorder {
 public:
  explicit OwningRecorder(std::shared_ptr<Recording> recording) : recording_(std::move(recording)) {}
  void submit(alerting::Effects effects) override { recording_->submit(std::move(effects)); }
  bool degraded() const override { return recording_->degraded(); }
  void flush(std::function<void()> done) override { recording_->flush(std::move(done)); }
  void history(HistoryQuery query, std::function<void(History)> done) override {
    recording_->history(std::move(query), std::move(done));
  }

 private:
  std::shared_ptr<Recording> recording_;
};

}  // namespace

std::unique_ptr<Recorder> make_recorder(std::shared_ptr<Vault> vault, Owed owed, boost::asio::any_io_executor loop,
                                        const Clock& clock, Recorder::Callbacks callbacks, const RecorderStart& start,
                                        const RecorderLimits& limits) {
  auto recording = std::make_shared<Recording>(std::move(vault), std::move(owed), std::move(loop), clock,
                                               std::move(callbacks), limits);
  recording->start(start);
  return std::make_unique<OwningRecorder>(std::move(recording));
}

}  // namespace vitald::daemon
