// The keys of limits that are no sample's name: "errors / requests", "used reaches 95%".
#include <algorithm>
#include <string>
#include <vector>

#include "config/limit_grammar.hpp"
#include "config/reader.hpp"
#include "config/shown.hpp"

namespace vitald::config {
namespace {

constexpr std::string_view over = " / ", reaches = " reaches ";

bool counts(SampleKind kind) { return kind != SampleKind::gauge; }

class KeyReader {
 public:
  KeyReader(const Node::Member& member, std::span<const SampleSpec> samples, bool free_names, Problems& problems)
      : member_(member), samples_(samples), free_names_(free_names), problems_(problems) {}

  Derived ratio(std::string_view of, std::string_view whole) {
    Derived derived{.how = Derived::How::ratio, .of = std::string(of), .whole = std::string(whole)};
    const auto part = find(of), all = find(whole);
    if (!part || !all) return derived;
    derived.of_kind = part->kind;
    derived.whole_kind = all->kind;
    if (of == whole) wrong("is always 100%; name two samples");
    if (counts(part->kind) != counts(all->kind))
      wrong("is the share of a level in something that counts up, or the other way; both have to be of one sort");
    return derived;
  }

  Derived trend(std::string_view of, std::string_view target) {
    Derived derived{.how = Derived::How::trend, .of = std::string(of)};
    const auto part = find(of);
    if (!part) return derived;
    derived.falling = part->lower_is_worse;
    if (counts(part->kind)) wrong("asks when something that counts up is there; limit its growth: '3 per 1h'");
    Node text;
    text.kind = Node::Kind::scalar;
    text.scalar = std::string(target);
    const auto threshold = parse_threshold(text, *part);
    if (threshold && !threshold->per) {
      derived.target = *threshold;
    } else {
      wrong(threshold ? "has a window in its target" : "has no right target: " + threshold.failure().what);
    }
    return derived;
  }

 private:
  void wrong(const std::string& what) { problems_.error(member_.at, "'" + shown(member_.key) + "' " + what); }

  std::optional<SampleSpec> find(std::string_view name) {
    const auto found =
        std::find_if(samples_.begin(), samples_.end(), [&](const SampleSpec& row) { return row.name == name; });
    if (found != samples_.end()) return *found;
    if (free_names_ && !name.empty()) return SampleSpec{name};
    std::vector<std::string> names;
    for (const SampleSpec& sample : samples_) names.emplace_back(sample.name);
    const std::string close = suggestion(name, names);
    wrong("names the unknown sample '" + shown(std::string(name)) + "'" +
          (close.empty() ? "" : "; did you mean '" + close + "'?"));
    return std::nullopt;
  }

  const Node::Member& member_;
  std::span<const SampleSpec> samples_;
  bool free_names_;
  Problems& problems_;
};

}  // namespace

std::optional<Derived> parse_derived(const Node::Member& member, std::span<const SampleSpec> samples, bool free_names,
                                     Problems& problems) {
  const std::string_view key = member.key;
  KeyReader reader(member, samples, free_names, problems);
  if (const auto at = key.find(over); at != std::string_view::npos)
    return reader.ratio(key.substr(0, at), key.substr(at + over.size()));
  if (const auto at = key.find(reaches); at != std::string_view::npos)
    return reader.trend(key.substr(0, at), key.substr(at + reaches.size()));
  return std::nullopt;
}

SampleSpec spec_of(const Derived& derived, std::string_view key) {
  if (derived.how == Derived::How::ratio) return {key, SampleKind::gauge, Unit::ratio, "", false, false};
  return {key, SampleKind::gauge, Unit::seconds, "", false, true};
}

}  // namespace vitald::config
