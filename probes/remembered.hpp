// What a probe remembers from one run to the next: a few named values, kept as text in the check's record.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vitald::probes {

/// ProbeContext::memory in, Observation::memory out: one line "key value" for each, sorted, so that the same values
/// make the same text and the record is written only when something changed.
class Remembered {
 public:
  /// Never fails: the memory may be of another version, and a line that makes no sense is left out.
  static Remembered read(std::string_view memory);

  std::optional<std::string> text(std::string_view key) const;
  /// Nothing where the value is no finite number.
  std::optional<double> number(std::string_view key) const;

  /// A key has no blank and no line break; a value may hold anything.
  void set(std::string_view key, std::string_view value);
  /// Written so that number() gives exactly the same back.
  void set(std::string_view key, double value);

  const std::map<std::string, std::string, std::less<>>& all() const { return values_; }
  std::string written() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace vitald::probes
