// Random histories of one queue: whatever happens, nothing is lost, nothing is told twice, nothing overtakes its
// predecessor, the pace holds, and equal seeds give equal histories.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "alerting/deliver.hpp"
#include "tests/alerting/sample_notifications.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;

class History {
 public:
  explicit History(unsigned seed) : random_(seed), queue_("ops", policy_, seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      const int what = pick(100);
      if (what < 30) {
        happen();
      } else if (what < 60) {
        attempt();
      } else if (what < 85) {
        answer(any_answer());
      } else if (what < 97) {
        pass(std::chrono::milliseconds(pick(20'000)));
      } else {
        queue_.resume(now_);
      }
      note_pruned();
    }
  }

  void drain() {
    queue_.resume(now_);
    answer(Judgement{});
    while (queue_.size() > 0) {
      note_pruned();
      attempt();
      answer(Judgement{});
      pass(1s);
    }
    note_pruned();
  }

  /// What is wrong with this history, or "".
  std::string complaint() const {
    if (!complaint_.empty()) return complaint_;
    for (const auto& [id, count] : settled_) {
      if (count != 1) return id.text() + " was settled " + std::to_string(count) + " times";
    }
    if (settled_.size() != added_)
      return std::to_string(added_) + " added, " + std::to_string(settled_.size()) + " settled";
    return "";
  }
  const std::string& log() const { return log_; }
  int seen(const std::string& what) const { return static_cast<int>(seen_.contains(what) ? seen_.at(what) : 0); }

 private:
  struct Incident {
    std::uint32_t sequence = 0;
    bool open = false;
    std::uint32_t highest_attempted = 0;
  };

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  void pass(Duration time) {
    now_.steady += time;
    now_.wall += time;
  }

  /// Something happens to one of twenty incident slots: it opens, goes on, or ends.
  void happen() {
    const int slot = pick(20);
    Incident& incident = incidents_[names_[slot] + "-" + std::to_string(slot)];
    Notification note = samples::bare_problem();
    note.kind = NotificationKind::problem;
    if (incident.open)
      note.kind = pick(4) == 0 ? NotificationKind::recovery : kinds_[static_cast<std::size_t>(pick(3))];
    incident.open = note.kind != NotificationKind::recovery;
    note.id = {names_[slot] + "-" + std::to_string(slot), ++incident.sequence, "ops"};
    note.severity = static_cast<Severity>(pick(4));
    note.at = now_.wall;
    if (!incident.open) names_[slot] += "x";  // the next one is another incident
    kind_of_[note.id] = note.kind;
    queue_.add(note, now_);
    ++added_;
  }

  void attempt() {
    const auto attempt = queue_.next(now_);
    if (!attempt) return;
    const NotificationId& id = attempt->notification.id;
    log_ += "try " + id.text() + " " + std::to_string(static_cast<int>(attempt->form)) + "\n";
    if (last_attempt_ && now_.steady - *last_attempt_ < policy_.between)
      complain("the pace was broken at " + id.text());
    last_attempt_ = now_.steady;
    Incident& incident = incidents_[id.incident];
    if (id.sequence < incident.highest_attempted) complain(id.text() + " went out after a newer one");
    incident.highest_attempted = id.sequence;
    for (std::uint32_t before = 1; before < id.sequence; ++before) {
      if (!settled_.contains({id.incident, before, "ops"}))
        complain(id.text() + " overtook number " + std::to_string(before));
    }
    if (settled_.contains(id)) complain(id.text() + " went out after it was settled");
    out_ = true;
  }

  Judgement any_answer() {
    static constexpr std::array likely = {Judgement::Kind::accepted, Judgement::Kind::accepted, Judgement::Kind::retry,
                                          Judgement::Kind::retry, Judgement::Kind::malformed};
    Judgement judgement;
    judgement.kind = pick(40) == 0 ? Judgement::Kind::refused : likely[static_cast<std::size_t>(pick(5))];
    if (judgement.kind == Judgement::Kind::retry && pick(5) == 0) judgement.after = std::chrono::seconds(pick(30));
    judgement.perhaps_taken = pick(10) == 0;
    return judgement;
  }

  void answer(const Judgement& judgement) {
    if (!std::exchange(out_, false)) return;
    ++seen_[judgement.kind == Judgement::Kind::refused ? "refused" : "answered"];
    if (const auto told = queue_.settle(judgement, now_)) note(*told);
  }

  void note_pruned() {
    for (const Delivered& told : queue_.prune(now_)) {
      ++seen_[told.accepted ? "superseded" : "given up"];
      const NotificationKind kind = kind_of_.at(told.id);
      if (told.accepted && kind != NotificationKind::update && kind != NotificationKind::reminder) {
        complain(told.id.text() + " is no message that can be superseded");
      }
      note(told);
    }
  }

  void note(const Delivered& told) {
    log_ += "settled " + told.id.text() + (told.accepted ? " accepted\n" : " refused\n");
    ++settled_[told.id];
  }

  void complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }

  static constexpr std::array kinds_ = {NotificationKind::update, NotificationKind::reminder,
                                        NotificationKind::escalation};
  std::mt19937 random_;
  RetryPolicy policy_;
  DeliveryQueue queue_;
  Now now_{Steady(1000s), samples::opened()};
  std::map<int, std::string> names_;
  std::map<std::string, Incident> incidents_;
  std::map<NotificationId, NotificationKind> kind_of_;
  std::map<NotificationId, int> settled_;
  std::map<std::string, int> seen_;
  std::optional<Steady> last_attempt_;
  std::size_t added_ = 0;
  bool out_ = false;
  std::string log_;
  std::string complaint_;
};

TEST(DeliveringAtRandom, NothingIsLostDoubledOrOvertaken) {
  int superseded = 0, given_up = 0, refused = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    History history(seed);
    history.run(1000);
    history.drain();
    ASSERT_EQ(history.complaint(), "") << "seed " << seed << "\n" << history.log();
    superseded += history.seen("superseded");
    given_up += history.seen("given up");
    refused += history.seen("refused");
  }
  // A history in which nothing of this happens would prove nothing.
  EXPECT_GT(superseded, 100);
  EXPECT_GT(given_up, 20);
  EXPECT_GT(refused, 50);
}

TEST(DeliveringAtRandom, EqualSeedsGiveEqualHistories) {
  History first(7), second(7), other(8);
  for (History* history : {&first, &second, &other}) history->run(2000);
  EXPECT_EQ(first.log(), second.log());
  EXPECT_NE(first.log(), other.log());
}

TEST(DeliveringAtRandom, AHundredThousandMessagesCostNoMoreForEachThanAFew) {
  // No timing: the number of entries is what a linear scan per call would not survive within a test's patience.
  RetryPolicy policy;
  policy.between = 0ns;
  DeliveryQueue queue("ops", policy, 1);
  Now now{Steady(1000s), samples::opened()};
  Notification note = samples::bare_problem();
  for (int i = 0; i < 100'000; ++i) {
    note.id.incident = "incident-" + std::to_string(i);
    queue.add(note, now);
  }
  int taken = 0;
  while (queue.next(now)) {
    queue.settle(Judgement{}, now);
    EXPECT_TRUE(queue.prune(now).empty());
    ++taken;
  }
  EXPECT_EQ(taken, 100'000);
}

}  // namespace
}  // namespace vitald::alerting
