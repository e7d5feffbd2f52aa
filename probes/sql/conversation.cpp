#include "probes/sql/conversation.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "probes/workers.hpp"

namespace vitald::probes::sql {

Talk::Talk(const Clock& clock, Steady deadline) : clock_(clock), deadline_(deadline), began_(clock.now().steady) {}

void Talk::begin(std::string_view name) {
  const Steady now = clock_.now().steady;
  const std::lock_guard lock(mutex_);
  step_ = name;
  began_ = now;
}

void Talk::end() {
  const Steady now = clock_.now().steady;
  const std::lock_guard lock(mutex_);
  const auto took = std::chrono::duration_cast<Duration>(now - began_);
  began_ = now;
  const auto same = std::find_if(phases_.begin(), phases_.end(), [&](const Phase& each) { return each.name == step_; });
  if (same != phases_.end()) {
    same->took += took;
  } else {
    phases_.push_back({step_, took});
  }
}

std::string_view Talk::step() const {
  const std::lock_guard lock(mutex_);
  return step_;
}

std::vector<Phase> Talk::phases() const {
  const std::lock_guard lock(mutex_);
  return phases_;
}

Duration Talk::left() const {
  const auto left = std::chrono::duration_cast<Duration>(deadline_ - clock_.now().steady);
  return std::max<Duration>(left, std::chrono::milliseconds(1));
}

void Talk::use(int descriptor) {
  const std::lock_guard lock(mutex_);
  descriptor_ = descriptor;
  if (severed_ && descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

void Talk::sever() {
  const std::lock_guard lock(mutex_);
  severed_ = true;
  if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

bool Talk::severed() const {
  const std::lock_guard lock(mutex_);
  return severed_;
}

namespace {

/// Severs the talk when the run is unwound by its cancellation; says nothing to one that ended.
class Follower {
 public:
  Follower(ProbeContext& context, std::shared_ptr<Talk> talk) : context_(context), talk_(std::move(talk)) {}
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower() {
    for (const Phase& phase : talk_->phases()) context_.phases.add(phase);
    if (!talk_->step().empty()) context_.phases.begin(talk_->step());
    if (!ended_) talk_->sever();
  }
  void ended() { ended_ = true; }

 private:
  ProbeContext& context_;
  std::shared_ptr<Talk> talk_;
  bool ended_ = false;
};

}  // namespace

awaitable<void> converse(ProbeContext& context, std::string key, std::function<void(Talk&)> job) {
  const auto talk = std::make_shared<Talk>(context.clock, context.deadline);
  Follower follower(context, talk);
  std::function<void()> work = [talk, job = std::move(job)] { job(*talk); };
  co_await context.workers.run(std::move(key), std::move(work));
  follower.ended();
}

namespace {

std::unique_ptr<Session> resumed(Kept<Session>* kept, Talk& talk) {
  auto session = kept == nullptr ? nullptr : kept->take();
  if (!session) return nullptr;
  talk.begin("login");
  const bool answers = session->resume(talk);
  if (!answers) return nullptr;
  talk.end();
  return session;
}

}  // namespace

awaitable<void> with_session(ProbeContext& context, std::string key, Login login, std::shared_ptr<Kept<Session>> kept,
                             Questions ask) {
  std::function<void(Talk&)> job = [login = std::move(login), kept = std::move(kept),
                                    ask = std::move(ask)](Talk& talk) {
    auto session = resumed(kept.get(), talk);
    if (!session) session = login(talk);
    ask(*session, talk);
    session->rest();
    if (kept) kept->put(std::move(session));
  };
  co_await converse(context, std::move(key), std::move(job));
}

}  // namespace vitald::probes::sql
