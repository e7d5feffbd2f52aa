// The smallest pieces of Prometheus text exposition 0.0.4: names, escaped label values, numbers. Locale-free.
#pragma once

#include <string>
#include <string_view>

namespace vitald::daemon {

/// Appends `value` as a label value, without the quotes: backslash and quote escaped; text that is not plain ASCII or
/// longer than 200 characters goes through alerting::clean first, since one bad byte makes Prometheus refuse the
/// scrape.
void append_label_value(std::string& out, std::string_view value);

/// Appends `help` for a HELP line: backslash and newline escaped.
void append_help(std::string& out, std::string_view help);

/// Appends the shortest text that reads back as `value`; NaN, +Inf and -Inf as Prometheus writes them.
void append_number(std::string& out, double value);

/// [a-zA-Z_][a-zA-Z0-9_]* and not reserved (`__…`).
bool is_label_name(std::string_view name);

/// `name` with every byte that a metric name may not hold replaced by '_'.
std::string metric_name(std::string_view name);

}  // namespace vitald::daemon
