// Units as people write and read them: `30s`, `5m`, `200ms`, `10GiB`, `85%` in; "6 min 12 s", "1.2 GiB" out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "config/result.hpp"

namespace vitald {

/// One number with one unit out of ns, us, ms, s, m, h, d, w ("1.5h" is fine, "1h30m" too; a bare "30" is an error that
/// names the units). Never negative; at most 10 years.
Result<Duration> parse_duration(std::string_view text);

/// B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024). A bare number is an error.
Result<std::uint64_t> parse_bytes(std::string_view text);

/// "85%" -> 0.85; "0.5%" too. Without the sign it is an error.
Result<double> parse_ratio(std::string_view text);

/// A plain finite decimal number, locale-free (std::from_chars); no hex, no inf, no nan.
Result<double> parse_number(std::string_view text);

/// For people: "38 ms", "1.2 s", "6 min 12 s", "3 h 5 min", "12 d 4 h". At most two units, never zero ones.
std::string say_duration(Duration length);
/// For people: "512 B", "1.2 GiB".
std::string say_bytes(double bytes);
/// For people: at most three significant decimals, no exponent for ordinary sizes: "0.93", "1250", "3.5".
std::string say_number(double value);
/// For people: "93 %", "93.4 %".
std::string say_ratio(double ratio);
/// "02:13:41 UTC"; with_date gives "2026-11-21 02:13:41 UTC".
std::string say_time(Wall at, bool with_date = false);
/// RFC 3339 in UTC with milliseconds, for machines: "2026-11-21T02:13:41.000Z".
std::string rfc3339(Wall at);
/// The way to write it in a configuration file: "30s", "5m", "200ms". Inverse of parse_duration.
std::string config_duration(Duration length);

}  // namespace vitald
