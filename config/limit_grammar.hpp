// How a limit is written (limit.hpp shows the forms), in one place: the text, its mistakes, its schema.
//
// A limit is crossed when the value reaches it: above means value >= threshold, below means value <= threshold.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "config/limit.hpp"
#include "config/node.hpp"

namespace vitald::config {

class Reader;

constexpr std::size_t most_limits = 50;

/// `node` is the mapping behind the sample's name. Everything that is wrong with it goes to `problems`.
Limit read_limit(const Node& node, const SampleSpec& sample, Problems& problems);
/// The same behind "errors / requests" or "used reaches 95%"; `sample` has the key for its name.
Limit read_limit(const Node& node, const SampleSpec& sample, const Derived& derived, Problems& problems);

/// What the key of a limit means where it is no sample's name; nothing where it looks like none of the two forms. Its
/// mistakes go to `problems` as well, with a result that can be read on with.
std::optional<Derived> parse_derived(const Node::Member& member, std::span<const SampleSpec> samples, bool free_names,
                                     Problems& problems);
/// The unit and direction that the thresholds of such a limit have.
SampleSpec spec_of(const Derived& derived, std::string_view key);

/// The mistakes that no single field shows; `in` has read the limit and knows where everything stands.
void judge_limit(const Limit& limit, const Reader& in, Problems& problems);

/// JSON Schema of that mapping, as JSON text; of a derived figure where `how` says so.
std::string limit_schema(const SampleSpec& sample, std::optional<Derived::How> how = {});

/// "85%", "10GiB": one threshold of one sample.
Result<Threshold> parse_threshold(const Node& node, const SampleSpec& sample);

/// "80%", "200ms", "3 per 1h".
std::string show_threshold(const Threshold& threshold, Unit unit);

/// "{ warning: 80%, critical: 90% }": the same text for equal limits, as one would write it.
std::string show_limit(const Limit& limit);

}  // namespace vitald::config
