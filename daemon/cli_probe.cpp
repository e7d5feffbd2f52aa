#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/units.hpp"
#include "daemon/cli_render.hpp"
#include "daemon/limit_text.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t verdict_width = 9;

Unit unit_of(const json& sample) {
  const std::string word = text_of(sample, "unit");
  if (word == "seconds") return Unit::seconds;
  if (word == "bytes") return Unit::bytes;
  return word == "ratio" ? Unit::ratio : Unit::none;
}

std::string say_length(double seconds) { return say_value(seconds, Unit::seconds); }

std::string sample_name(const json& sample) {
  std::string name = text_of(sample, "name");
  std::string labels;
  const json all = sample.value("labels", json::object());
  for (const auto& [key, value] : all.items()) {
    labels +=
        (labels.empty() ? "" : ", ") + plain(key) + " " + (value.is_string() ? plain(value.get<std::string>()) : "");
  }
  return labels.empty() ? name : name + " (" + labels + ")";
}

std::string sample_value(const json& sample) {
  const auto value = sample.find("value");
  if (value == sample.end() || !value->is_number()) return "not a number";
  std::string text = say_value(value->get<double>(), unit_of(sample));
  if (sample.contains("maximum")) text += " of " + say_value(number_of(sample, "maximum"), unit_of(sample));
  return text;
}

std::string limit_of(const json& report, const std::string& sample) {
  for (const json& limit : report.value("limits", json::array())) {
    if (text_of(limit, "sample") == sample) return text_of(limit, "text");
  }
  return "";
}

struct Table {
  struct Row {
    std::string name, text, note;
  };
  std::string title;
  std::vector<Row> rows;
};

std::string render(const Table& table, const Terminal& terminal) {
  if (table.rows.empty()) return "";
  std::size_t names = 0, texts = 0;
  for (const auto& row : table.rows) {
    names = std::max(names, columns(row.name));
    if (!row.note.empty()) texts = std::max(texts, columns(row.text));
  }
  std::string out = "\n" + bold(terminal, table.title) + "\n";
  for (const auto& row : table.rows) {
    out += "  " + padded(row.name, names) + "  ";
    out += row.note.empty() ? hanging(row.text, names + 4) + "\n"
                            : padded(row.text, texts) + "  " + dim(terminal, row.note) + "\n";
  }
  return out;
}

}  // namespace

std::string render_probe(const json& report, const Terminal& terminal) {
  const std::string verdict = text_of(report, "verdict");
  const std::string summary = text_of(report, "summary");
  const std::string why = text_of(report, "why");
  std::string out = coloured(terminal, verdict, verdict) + ": " + bold(terminal, text_of(report, "check")) + " - " +
                    (why.empty() ? summary : why) + "\n";
  if (!summary.empty() && summary != why) out += "  " + summary + "\n";
  out += dim(terminal, "  " + text_of(report, "probe") + ", " + text_of(report, "outcome") + " after " +
                           say_length(number_of(report, "duration_seconds"))) +
         "\n";
  if (const std::string reason = text_of(report, "reason"); !reason.empty()) out += "  reason: " + reason + "\n";
  if (const std::string remedy = text_of(report, "remedy"); !remedy.empty()) out += "  what to do: " + remedy + "\n";
  Table phases{"Phases", {}};
  for (const json& phase : report.value("phases", json::array())) {
    phases.rows.push_back({text_of(phase, "name"), say_length(number_of(phase, "seconds")), ""});
  }
  Table samples{"Samples", {}};
  for (const json& sample : report.value("samples", json::array())) {
    samples.rows.push_back({sample_name(sample), sample_value(sample), limit_of(report, text_of(sample, "name"))});
  }
  Table evidence{"Evidence", {}};
  for (const json& piece : report.value("evidence", json::array())) {
    evidence.rows.push_back({text_of(piece, "label"), lines_of(piece, "text"), ""});
  }
  return out + render(phases, terminal) + render(samples, terminal) + render(evidence, terminal);
}

std::string render_verify_line(const json& progress, const Terminal& terminal) {
  const json report = progress.value("report", json::object());
  const std::string verdict = text_of(report, "verdict");
  std::string why = text_of(report, "why");
  if (why.empty()) why = text_of(report, "summary");
  const std::string name = padded(text_of(report, "check"), 24);
  const std::size_t used = verdict_width + 3 + columns(name);
  const std::size_t room = terminal.width > used + 20 ? terminal.width - used : 0;
  return coloured(terminal, verdict, padded(verdict, verdict_width)) + " " + name + "  " + cut(why, room) + "\n";
}

std::string render_verify_summary(const json& result, const Terminal& terminal) {
  const auto total = static_cast<std::size_t>(number_of(result, "total"));
  std::string parts;
  for (const char* verdict : {"ok", "warning", "critical", "unknown"}) {
    const auto count = static_cast<std::size_t>(number_of(result, verdict));
    if (count == 0) continue;
    parts += (parts.empty() ? "" : ", ") + coloured(terminal, verdict, std::to_string(count) + " " + verdict);
  }
  return "\n" + std::to_string(total) + (total == 1 ? " check: " : " checks: ") + (parts.empty() ? "none" : parts) +
         "\n";
}

int exit_code(std::string_view verdict) {
  if (verdict == "ok") return 0;
  if (verdict == "warning") return 1;
  return verdict == "critical" ? 2 : 3;
}

}  // namespace vitald::daemon
