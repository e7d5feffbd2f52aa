#include "alerting/notification.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace vitald::alerting {
namespace {

using nlohmann::json;

// What one outbox row may hold at most, so that neither a careless probe nor a damaged database makes a row that hurts.
// Everything stays far below one PagerDuty event (512 KB), the largest message of any receiver.
constexpr std::size_t longest_text = 8 * 1024;
constexpr std::size_t most_entries = 64;
constexpr std::size_t longest_row = 2u << 20;
// Nanoseconds since 1970, in the year 2200: the difference of any two times fits a Duration.
constexpr std::int64_t latest_time = 7'258'118'400'000'000'000;

constexpr std::array kinds = {NotificationKind::problem,    NotificationKind::update,   NotificationKind::reminder,
                              NotificationKind::escalation, NotificationKind::recovery, NotificationKind::digest};
constexpr std::array statuses = {Status::ok, Status::warning, Status::critical, Status::unknown};
constexpr std::array severities = {Severity::p0, Severity::p1, Severity::p2, Severity::p3};

/// Cut before the code point that would not fit. Invalid bytes are left to the serializer, which replaces them.
std::string bounded(const std::string& text) {
  if (text.size() <= longest_text) return text;
  std::size_t end = longest_text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::int64_t nanoseconds(Wall at) { return at.time_since_epoch().count(); }

json list_of(const std::vector<std::string>& texts) {
  json list = json::array();
  for (const std::string& text : texts) {
    if (list.size() == most_entries) break;
    list.push_back(bounded(text));
  }
  return list;
}

json pairs_of(const Labels& labels) {
  json list = json::array();
  for (const auto& [name, value] : labels) {
    if (list.size() == most_entries) break;
    list.push_back(json::array({bounded(name), bounded(value)}));
  }
  return list;
}

json pairs_of(const std::vector<Evidence>& evidence) {
  json list = json::array();
  for (const Evidence& piece : evidence) {
    if (list.size() == most_entries) break;
    list.push_back(json::array({bounded(piece.label), bounded(piece.text)}));
  }
  return list;
}

/// Reads members of a row leniently where they are absent and strictly where they are of another type.
class Row {
 public:
  explicit Row(const json& members) : members_(members) {}

  bool wrong() const { return !wrong_.empty(); }
  const std::string& what() const { return wrong_; }

  std::string text(const char* name) {
    const json* value = member(name);
    if (value == nullptr) return "";
    if (!value->is_string()) return reject<std::string>(name);
    return bounded(value->get_ref<const std::string&>());
  }

  /// From 0 to `largest`.
  std::int64_t number(const char* name, std::int64_t largest) {
    const json* value = member(name);
    if (value == nullptr) return 0;
    if (!value->is_number_integer()) return reject<std::int64_t>(name);
    const auto found = value->get<std::int64_t>();
    return found < 0 || found > largest ? reject<std::int64_t>(name) : found;
  }

  Wall time(const char* name) { return Wall(Duration(number(name, latest_time))); }

  bool flag(const char* name) {
    const json* value = member(name);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return reject<bool>(name);
    return value->get<bool>();
  }

  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> list;
    for (const json& entry : entries(name)) {
      if (!entry.is_string()) return reject<std::vector<std::string>>(name);
      list.push_back(bounded(entry.get_ref<const std::string&>()));
    }
    return list;
  }

  std::vector<std::pair<std::string, std::string>> pairs(const char* name) {
    std::vector<std::pair<std::string, std::string>> list;
    for (const json& entry : entries(name)) {
      if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_string()) {
        return reject<std::vector<std::pair<std::string, std::string>>>(name);
      }
      list.emplace_back(bounded(entry[0].get_ref<const std::string&>()),
                        bounded(entry[1].get_ref<const std::string&>()));
    }
    return list;
  }

  /// The one of `words` whose name stands there.
  template <class E, std::size_t N>
  E word(const char* name, const std::array<E, N>& words) {
    const std::string found = text(name);
    for (const E word : words) {
      if (to_string(word) == found) return word;
    }
    return reject<E>(name);
  }

 private:
  const json* member(const char* name) const {
    const auto found = members_.find(name);
    return found == members_.end() || found->is_null() ? nullptr : &*found;
  }

  const json& entries(const char* name) {
    static const json none = json::array();
    const json* value = member(name);
    if (value == nullptr) return none;
    if (!value->is_array() || value->size() > most_entries) {
      reject<int>(name);
      return none;
    }
    return *value;
  }

  template <class T>
  T reject(const char* name) {
    if (wrong_.empty())
      wrong_ = std::string("its member '") + name + "' is not what this version of vitald expects there";
    return T{};
  }

  const json& members_;
  std::string wrong_;
};

Notification read_notification(Row& row) {
  Notification note;
  note.id.incident = row.text("incident");
  note.id.sequence = static_cast<std::uint32_t>(row.number("sequence", UINT32_MAX));
  note.id.receiver = row.text("receiver");
  note.kind = row.word("kind", kinds);
  note.severity = row.word("severity", severities);
  note.status = row.word("status", statuses);
  note.instance = row.text("instance");
  note.check = row.text("check");
  note.probe = row.text("probe");
  note.labels = row.pairs("labels");
  note.summary = row.text("summary");
  note.cause = row.text("cause");
  note.affected = row.texts("affected");
  note.confirmed_by = row.text("confirmed_by");
  note.remedy = row.text("remedy");
  for (auto& [label, text] : row.pairs("evidence")) note.evidence.push_back({std::move(label), std::move(text)});
  note.runbook = row.text("runbook");
  if (std::string who = row.text("acknowledged_by"); !who.empty()) note.acknowledged_by = std::move(who);
  note.opened = row.time("opened_ns");
  note.at = row.time("at_ns");
  note.reminder = static_cast<int>(row.number("reminder", INT32_MAX));
  note.unsaved = row.flag("unsaved");
  note.may_repeat = row.flag("may_repeat");
  return note;
}

}  // namespace

std::string_view to_string(NotificationKind kind) {
  switch (kind) {
    case NotificationKind::problem:
      return "problem";
    case NotificationKind::update:
      return "update";
    case NotificationKind::reminder:
      return "reminder";
    case NotificationKind::escalation:
      return "escalation";
    case NotificationKind::recovery:
      return "recovery";
    case NotificationKind::digest:
      return "digest";
  }
  return "problem";
}

std::string NotificationId::text() const { return incident + "/" + std::to_string(sequence) + "/" + receiver; }

std::string to_json(const Notification& note) {
  json members = {
      {"incident", bounded(note.id.incident)},
      {"sequence", note.id.sequence},
      {"receiver", bounded(note.id.receiver)},
      {"kind", to_string(note.kind)},
      {"severity", to_string(note.severity)},
      {"status", to_string(note.status)},
      {"instance", bounded(note.instance)},
      {"check", bounded(note.check)},
      {"probe", bounded(note.probe)},
      {"labels", pairs_of(note.labels)},
      {"summary", bounded(note.summary)},
      {"cause", bounded(note.cause)},
      {"affected", list_of(note.affected)},
      {"confirmed_by", bounded(note.confirmed_by)},
      {"remedy", bounded(note.remedy)},
      {"evidence", pairs_of(note.evidence)},
      {"runbook", bounded(note.runbook)},
      {"opened_ns", nanoseconds(note.opened)},
      {"at_ns", nanoseconds(note.at)},
      {"reminder", note.reminder},
      {"unsaved", note.unsaved},
      {"may_repeat", note.may_repeat},
  };
  if (note.acknowledged_by) members["acknowledged_by"] = bounded(*note.acknowledged_by);
  // Foreign bytes may be no UTF-8; dump() would throw for them unless it is told to put U+FFFD there.
  return members.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Notification> notification_from_json(std::string_view text) {
  const Failure no_row{"", "a stored notification cannot be read: it is not the JSON object that vitald writes"};
  if (text.size() > longest_row) return no_row;
  const json members = json::parse(text, nullptr, false);
  if (!members.is_object()) return no_row;
  Row row(members);
  Notification note = read_notification(row);
  if (row.wrong()) return Failure{"", "a stored notification cannot be read: " + row.what()};
  if (note.id.incident.empty() || note.id.receiver.empty() || note.id.sequence == 0) {
    return Failure{"", "a stored notification cannot be read: it does not say which incident and receiver it is for"};
  }
  return note;
}

}  // namespace vitald::alerting
