#include "daemon/control_silences.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "alerting/hush.hpp"
#include "alerting/voice.hpp"
#include "config/shown.hpp"
#include "daemon/configuration_kinds.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t most_words = 50;
constexpr std::size_t longest_value = 256;
constexpr std::size_t longest_reason = 300;

std::string without_stars(std::string text) {
  std::replace(text.begin(), text.end(), '*', 'x');
  return text;
}

}  // namespace

Result<alerting::Matcher> matcher_of(const std::vector<std::string>& words) {
  alerting::Matcher matcher;
  if (words.empty()) return Failure{"", "say which checks: names, also with '*', or labels such as team=web"};
  if (words.size() > most_words) return Failure{"", "a silence has at most 50 names and labels"};
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (auto wrong = objection_to_name(equals == std::string::npos ? without_stars(name) : name); !wrong.empty())
      return Failure{"", "'" + config::shown(word) + "' is neither the name of a check nor a label: " + wrong};
    if (equals == std::string::npos) {
      matcher.names.push_back(word);
    } else {
      matcher.labels.emplace_back(name, alerting::clean(word.substr(equals + 1), longest_value));
    }
  }
  std::sort(matcher.labels.begin(), matcher.labels.end());
  return matcher;
}

Result<alerting::SilenceAdded> silence_from(const json& request, std::string by) {
  std::vector<std::string> words;
  for (const json& word : request.value("checks", json::array())) {
    if (word.is_string()) words.push_back(word.get<std::string>());
  }
  auto checks = matcher_of(words);
  if (!checks) return checks.failure();
  alerting::SilenceAdded wanted;
  wanted.checks = std::move(*checks);
  wanted.owner = std::move(by);
  const auto reason = request.find("reason");
  if (reason != request.end() && reason->is_string())
    wanted.reason = alerting::clean(reason->get<std::string>(), longest_reason);
  const auto flag = request.find("until_recovered");
  wanted.until_recovered = flag != request.end() && flag->is_boolean() && flag->get<bool>();
  wanted.lasts = wanted.until_recovered ? usual_until_recovered : usual_silence;
  const auto seconds = request.find("seconds");
  if (seconds == request.end()) return wanted;
  constexpr std::int64_t most = std::chrono::seconds(std::chrono::hours(24 * 30)).count();
  static_assert(std::chrono::seconds(most) == alerting::Hush::longest);
  const std::int64_t length = seconds->is_number_integer() ? seconds->get<std::int64_t>() : 0;
  if (length < 1 || length > most) return Failure{"", "a silence lasts between 1s and 30d"};
  wanted.lasts = std::chrono::seconds(length);
  return wanted;
}

}  // namespace vitald::daemon
