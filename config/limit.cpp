#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "config/kinds.hpp"
#include "config/limit_grammar.hpp"
#include "config/reader.hpp"
#include "config/schema.hpp"
#include "config/shown.hpp"

namespace vitald::config {
namespace {

constexpr Duration longest_window = std::chrono::hours(24 * 31);
constexpr Duration default_pace = std::chrono::hours(4);
constexpr int most_runs = 100;

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

std::string example(const SampleSpec& sample) {
  switch (sample.unit) {
    case Unit::seconds:
      return "a duration such as 200ms";
    case Unit::bytes:
      return sample.has_maximum ? "a size such as 10GiB, or a percentage such as 85%" : "a size such as 10GiB";
    case Unit::ratio:
      return "a percentage such as 85%";
    case Unit::none:
      return sample.has_maximum ? "a number such as 500, or a percentage such as 85%" : "a number such as 500";
  }
  return "a number";
}

Result<double> parse_amount(std::string_view text, Unit unit) {
  if (unit == Unit::ratio) return parse_ratio(text);
  if (unit == Unit::none) return parse_number(text);
  if (unit == Unit::bytes) {
    const auto bytes = parse_bytes(text);
    if (!bytes) return bytes.failure();
    return static_cast<double>(*bytes);
  }
  const auto length = parse_duration(text);
  if (!length) return length.failure();
  return std::chrono::duration<double>(*length).count();
}

/// "80%", "3 per 1h": one threshold of one sample.
struct ThresholdText {
  using value_type = Threshold;
  const SampleSpec& sample;

  std::string type_name() const {
    const std::string amount = sample.unit == Unit::seconds ? "duration"
                               : sample.unit == Unit::bytes ? "size"
                               : sample.unit == Unit::ratio ? "percentage"
                                                            : "number";
    return amount + (sample.has_maximum && sample.unit != Unit::ratio ? " or percentage" : "");
  }
  std::string schema() const {
    return sample.unit == Unit::none ? R"({"type":["number","string"]})" : R"({"type":"string"})";
  }
  Threshold dummy() const { return {}; }
  std::string show(const Threshold& threshold) const { return show_threshold(threshold, sample.unit); }

  Result<Threshold> read(const Node& node, Problems&) const {
    if (node.kind != Node::Kind::scalar) {
      return Failure{"", "expected " + example(sample) + ", found " + std::string(node.kind_name())};
    }
    Threshold threshold;
    std::string_view amount = node.scalar;
    if (const auto per = amount.find(" per "); per != std::string_view::npos) {
      const auto window = parse_duration(trimmed(amount.substr(per + 5)));
      if (!window || *window <= Duration::zero() || *window > longest_window) {
        return Failure{"", "expected a window such as in '3 per 1h', of at most 31d" + but_found(node.scalar)};
      }
      threshold.per = *window;
      amount = trimmed(amount.substr(0, per));
    }
    threshold.of_maximum = sample.has_maximum && sample.unit != Unit::ratio && amount.ends_with('%');
    if (threshold.of_maximum && threshold.per) {
      return Failure{"", "a percentage of the maximum cannot be counted per window" + but_found(node.scalar)};
    }
    const auto value = parse_amount(amount, threshold.of_maximum ? Unit::ratio : sample.unit);
    if (!value) return Failure{"", "expected " + example(sample) + but_found(node.scalar)};
    threshold.value = *value;
    return threshold;
  }
};

/// "3 of 5".
struct Runs {
  using value_type = std::pair<int, int>;

  std::string type_name() const { return "'N of M' runs"; }
  std::string schema() const { return R"({"type":"string","pattern":"^ *[0-9]+ +of +[0-9]+ *$"})"; }
  value_type dummy() const { return {1, 1}; }
  std::string show(const value_type& runs) const {
    return std::to_string(runs.first) + " of " + std::to_string(runs.second);
  }

  Result<value_type> read(const Node& node, Problems&) const {
    const Failure wrong{"", "expected a share of runs such as '3 of 5', of at most 100" + but_found(node.scalar)};
    const std::string_view text = node.scalar;
    const auto of = text.find(" of ");
    if (node.kind != Node::Kind::scalar || of == std::string_view::npos) return wrong;
    const auto bad = number(trimmed(text.substr(0, of)));
    const auto all = number(trimmed(text.substr(of + 4)));
    if (!bad || !all || *bad < 1 || *all < *bad || *all > most_runs) return wrong;
    return value_type{*bad, *all};
  }

 private:
  static std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
  }
};

/// `derived`: of which figure; nothing for a sample as it is.
Limit parse(Reader& in, const SampleSpec& sample, const Derived* derived) {
  const ThresholdText threshold{sample};
  const Length span{std::chrono::seconds(1), longest_window};
  const bool is_trend = derived != nullptr && derived->how == Derived::How::trend;
  Limit limit;
  limit.sample = sample.name;
  limit.kind = sample.kind;
  limit.unit = sample.unit;
  limit.warning = in.maybe("warning", threshold, "From here on it is a warning; growth as '3 per 1h'");
  limit.critical = in.maybe("critical", threshold, "From here on it is critical");
  limit.clear = in.maybe("clear", threshold, "Once bad, it stays bad until it is back past this");
  limit.below = is_trend || in.optional("below", Boolean{}, sample.lower_is_worse, "Low values are the bad ones");
  limit.hold_for = in.maybe("for", span, "Only when every run for that long was bad").value_or(Duration::zero());
  const auto runs = in.maybe("of", Runs{}, "Only when so many of the last runs were bad: '3 of 5'");
  if (runs) std::tie(limit.of_bad, limit.of_runs) = *runs;
  if (derived == nullptr) {
    limit.over = in.maybe("over", span, "Judge the growth within this window");
    const auto missing =
        in.maybe("missing", OneOf{{"warning", "critical"}}, "What an answer is that does not have the sample");
    if (missing) limit.missing = *missing == "critical" ? Status::critical : Status::warning;
    return limit;
  }
  limit.derived = *derived;
  if (is_trend) {
    limit.derived->over = in.optional("over", span, default_pace, "The pace is that of so much time");
    limit.derived->falling = in.optional("falling", Boolean{}, derived->falling, "It comes to the target from above");
  } else {
    limit.derived->over =
        in.maybe("over", span, "Of what counts up, the growth within this window").value_or(Duration{});
    limit.derived->at_least = static_cast<double>(
        in.maybe("at_least", Integer{1, 1'000'000'000'000}, "A smaller denominator says nothing").value_or(0));
  }
  return limit;
}

Limit read(const Node& node, const SampleSpec& sample, const Derived* derived, Problems& problems) {
  Problems own;
  Reader in(node, "limit " + std::string(sample.name), own);
  Limit limit = parse(in, sample, derived);
  in.finish();
  if (!own.any_error()) judge_limit(limit, in, own);
  problems.append(own);
  return limit;
}

}  // namespace

Limit read_limit(const Node& node, const SampleSpec& sample, Problems& problems) {
  return read(node, sample, nullptr, problems);
}

Limit read_limit(const Node& node, const SampleSpec& sample, const Derived& derived, Problems& problems) {
  return read(node, sample, &derived, problems);
}

Result<Threshold> parse_threshold(const Node& node, const SampleSpec& sample) {
  Problems none;
  return ThresholdText{sample}.read(node, none);
}

std::string limit_schema(const SampleSpec& sample, std::optional<Derived::How> how) {
  Reader in = Reader::describing();
  const Derived derived{.how = how.value_or(Derived::How::ratio)};
  parse(in, sample, how ? &derived : nullptr);
  std::string schema = object_schema(in.options());
  schema.pop_back();
  const std::string missing = how ? "" : R"(,{"required":["missing"]})";
  return schema + R"(,"anyOf":[{"required":["warning"]},{"required":["critical"]})" + missing + "]}";
}

std::string show_threshold(const Threshold& threshold, Unit unit) {
  const auto number = [](double value) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    return std::string(buffer, end.ptr);
  };
  std::string text;
  if (threshold.of_maximum || unit == Unit::ratio) {
    text = number(std::round(threshold.value * 1e8) / 1e6) + "%";  // 0.07 * 100 is not quite 7
  } else if (unit == Unit::seconds) {
    text = config_duration(std::chrono::round<Duration>(std::chrono::duration<double>(threshold.value)));
  } else if (unit == Unit::bytes) {
    text = Bytes{}.show(static_cast<std::uint64_t>(threshold.value));
  } else {
    text = number(threshold.value);
  }
  return threshold.per ? text + " per " + config_duration(*threshold.per) : text;
}

std::string show_limit(const Limit& limit) {
  std::string shown_text;
  const auto add = [&](std::string_view key, const std::string& value) {
    shown_text += (shown_text.empty() ? "{ " : ", ") + std::string(key) + ": " + value;
  };
  if (limit.below && !(limit.derived && limit.derived->how == Derived::How::trend)) add("below", "true");
  if (limit.warning) add("warning", show_threshold(*limit.warning, limit.unit));
  if (limit.critical) add("critical", show_threshold(*limit.critical, limit.unit));
  if (limit.clear) add("clear", show_threshold(*limit.clear, limit.unit));
  if (limit.hold_for > Duration::zero()) add("for", config_duration(limit.hold_for));
  if (limit.of_runs > 1) add("of", Runs{}.show({limit.of_bad, limit.of_runs}));
  if (limit.over) add("over", config_duration(*limit.over));
  if (limit.missing) add("missing", std::string(to_string(*limit.missing)));
  if (limit.derived) {
    const Derived& derived = *limit.derived;
    if (derived.over > Duration::zero()) add("over", config_duration(derived.over));
    if (derived.at_least > 0) add("at_least", show_threshold({derived.at_least}, Unit::none));
    if (derived.falling) add("falling", "true");
  }
  return shown_text.empty() ? "{}" : shown_text + " }";
}

}  // namespace vitald::config
