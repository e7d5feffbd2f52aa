// A value, or one sentence that says why there is none.
//
// Pure code returns Result<T>; it never throws for something that the world did. `where` is the place a person should
// look at ("/etc/vitald/vitald.yaml:12:5", "checks.api.url", a path, a host), `what` is a sentence without a full stop.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace vitald {

struct Failure {
  std::string where;
  std::string what;

  /// "where: what", or just "what" where no place is known.
  std::string sentence() const { return where.empty() ? what : where + ": " + what; }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Failure& failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : failure_(std::move(failure)), failed_(true) {}

  explicit operator bool() const { return !failed_; }
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
  bool failed_ = false;
};

}  // namespace vitald
