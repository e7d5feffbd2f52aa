// What `explain`, `incidents ID` and `incidents --all` print for people.
#include <nlohmann/json.hpp>

#include "alerting/ids.hpp"
#include "daemon/cli_render.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t about_width = 13;

std::string sentence(std::string text) { return text.empty() || text.back() == '.' ? text : text + "."; }

std::string reasons(const json& list, const Terminal& terminal) {
  std::string out;
  for (const json& reason : list) {
    out += "  " + dim(terminal, short_time(reason, "at")) + "  " + hanging(lines_of(reason, "text"), 23);
    if (reason.contains("times"))
      out += " (" + std::to_string(reason.value("times", 1)) + " times since " + short_time(reason, "first") + ")";
    out += "\n";
  }
  return out;
}

std::string fact(const Terminal& terminal, std::string_view name, const std::string& text) {
  if (text.empty()) return "";
  return "  " + dim(terminal, padded(plain(name), about_width)) + " " + hanging(text, about_width + 3) + "\n";
}

std::string proof(const json& incident, const char* name, const std::string& title, const Terminal& terminal) {
  const auto seen = incident.find(name);
  if (seen == incident.end()) return "";
  std::string out = "\n" + title + ", " + time_of(*seen, "at") + "\n";
  out += "  " + text_of(*seen, "summary") + "\n";
  for (const json& piece : seen->value("evidence", json::array()))
    out += fact(terminal, text_of(piece, "label"), lines_of(piece, "text"));
  return out;
}

/// The figures of the latest run that have a limit.
std::string figures(const json& report, const Terminal& terminal) {
  std::string out;
  for (const json& limit : report.value("limits", json::array()))
    out += fact(terminal, out.empty() ? "limits" : "", text_of(limit, "sample") + ": " + text_of(limit, "text"));
  return out;
}

}  // namespace

std::string render_explanation(const json& report, const Terminal& terminal) {
  std::string out = bold(terminal, text_of(report, "subject")) + "\n";
  for (const json& paragraph : report.value("paragraphs", json::array())) {
    std::string about = text_of(paragraph, "about");
    for (const json& says : paragraph.value("says", json::array())) {
      if (says.is_string()) out += fact(terminal, about, sentence(plain(says.get<std::string>())));
      if (says.is_string() && !about.empty()) about = " ";
    }
    if (text_of(paragraph, "about") == "now") out += figures(report, terminal);
  }
  const json chain = report.value("reasons", json::array());
  if (chain.empty()) return out + "\nNothing has happened that would need a reason.\n";
  return out + "\nHow it came to that (UTC)\n" + reasons(chain, terminal);
}

std::string render_story(const json& incident, const Terminal& terminal) {
  const std::string status = text_of(incident, "status");
  std::string out = coloured(terminal, status, text_of(incident, "severity") + " " + status) + ": " +
                    bold(terminal, text_of(incident, "check")) + " - " + text_of(incident, "summary") + "\n";
  out += fact(terminal, "incident", text_of(incident, "id"));
  out += fact(terminal, "from", time_of(incident, "opened"));
  out += fact(terminal, "to", incident.contains("closed") ? time_of(incident, "closed") : "still open");
  out += fact(terminal, "confirmed by", text_of(incident, "confirmed_by"));
  out += fact(terminal, "cause", text_of(incident, "cause"));
  out += fact(terminal, "affected", names_in(incident, "affected"));
  out += fact(terminal, "taken by", text_of(incident, "acknowledged_by"));
  for (const json& told : incident.value("told", json::array())) {
    std::string words = text_of(told, "receiver") + (told.value("refused", false)     ? ": refused"
                                                     : told.value("delivered", false) ? ": delivered"
                                                                                      : ": not known to be delivered");
    if (told.contains("first")) words += ", first " + time_of(told, "first");
    out += fact(terminal, "told", words);
  }
  out += fact(terminal, "what to do", text_of(incident, "remedy"));
  out += fact(terminal, "runbook", text_of(incident, "runbook"));
  out += "\nTimeline (UTC)\n" + reasons(incident.value("timeline", json::array()), terminal);
  out += proof(incident, "first_bad", "First bad observation", terminal);
  return out + proof(incident, "last_bad", "Last bad observation", terminal);
}

std::string render_closed(const json& closed, const Terminal& terminal) {
  if (closed.empty()) return "none has ended in that time\n";
  std::string out;
  for (const json& incident : closed) {
    out += dim(terminal, short_time(incident, "opened") + " to " + short_time(incident, "closed")) + " UTC  " +
           alerting::short_id(text_of(incident, "id")) + "  " + text_of(incident, "severity") + " " +
           bold(terminal, text_of(incident, "check")) + " - " + text_of(incident, "summary") + "\n";
  }
  return out;
}

}  // namespace vitald::daemon
