#include "daemon/page.hpp"

#include <algorithm>
#include <vector>

#include "alerting/ids.hpp"
#include "alerting/name_list.hpp"
#include "config/units.hpp"
#include "daemon/html.hpp"
#include "daemon/overview.hpp"

namespace vitald::daemon {
namespace {

std::string ago(Wall at, Wall now) {
  const Duration length = now - at;
  if (length < std::chrono::seconds(1)) return "just now";
  return say_duration(std::chrono::floor<std::chrono::seconds>(length)) + " ago";
}

/// "02:13:41 UTC, 6 min ago"; with the date when it was on another day.
std::string when(Wall at, Wall now) {
  const bool today = std::chrono::floor<std::chrono::days>(at) == std::chrono::floor<std::chrono::days>(now);
  return say_time(at, !today) + ", " + ago(at, now);
}

/// With the date when it is on another day.
std::string moment(Wall at, Wall now) {
  return say_time(at, std::chrono::floor<std::chrono::days>(at) != std::chrono::floor<std::chrono::days>(now));
}

void head(Html& html, const DaemonView& view, const Overview& all) {
  const std::string title =
      (all.bad() > 0 ? std::to_string(all.bad()) + " bad - " : std::string("ok - ")) + view.instance;
  html.doctype().open("html", {{"lang", "en"}}).open("head").open("meta", {{"charset", "utf-8"}});
  html.open("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.open("meta", {{"http-equiv", "refresh"}, {"content", "15"}});
  html.open("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  html.open("meta", {{"name", "robots"}, {"content", "noindex"}});
  html.open("link", {{"rel", "stylesheet"}, {"href", "/style.css"}});
  html.element("title", title).close("head");
}

void count(Html& html, std::size_t number, Standing kind) {
  if (number == 0) return;
  html.open("li", {{"class", to_string(kind)}})
      .element("b", std::to_string(number))
      .text(" ")
      .text(to_string(kind))
      .close("li");
}

void summary(Html& html, const DaemonView& view, const Overview& all) {
  html.open("header", {{"class", to_string(all.worst())}});
  html.element("p", view.instance, {{"class", "instance"}});
  html.element("h1", all.headline());
  html.open("ul", {{"class", "counts"}});
  count(html, all.critical, Standing::critical);
  count(html, all.unknown, Standing::unknown);
  count(html, all.warning, Standing::warning);
  count(html, all.waiting, Standing::waiting);
  count(html, all.ok, Standing::ok);
  html.close("ul").close("header");
}

/// What is wrong with vitald itself: then the rest of the page may not be trusted as usual.
void own_troubles(Html& html, const DaemonView& view) {
  std::vector<std::string> troubles;
  if (view.store_degraded)
    troubles.push_back("The store does not work, what happens now may be forgotten at a restart: " +
                       view.store_problem);
  if (!view.last_reload_worked)
    troubles.push_back("The last reload was refused, the old configuration goes on: " + view.last_reload_problem);
  for (const ReceiverView& receiver : view.receivers) {
    if (receiver.stopped)
      troubles.push_back("Receiver " + receiver.name + " takes no messages, " + std::to_string(receiver.pending) +
                         " wait: " + receiver.why);
  }
  if (troubles.empty()) return;
  html.open("section", {{"class", "own"}}).element("h2", "vitald itself");
  for (const std::string& trouble : troubles) html.open("p").text(trouble, 2000).close("p");
  html.close("section");
}

void fact(Html& html, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  html.element("dt", name).open("dd");
  const bool several = text.find('\n') != std::string_view::npos;
  if (!several) html.text(text, 2000);
  for (std::string_view rest = text; several && !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    html.open("div").text(line).close("div");
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  html.close("dd");
}

void incident(Html& html, const alerting::IncidentView& view, const BoardRow* row, Wall now) {
  const auto& record = view.record;
  html.open("article", {{"class", to_string(record.status)}});
  html.open("h3").element("span", to_string(record.severity), {{"class", "severity"}}).text(" ");
  html.element("span", to_string(record.status), {{"class", "verdict"}}).text(" ").text(record.check).close("h3");
  html.element("p", record.summary, {{"class", "summary"}});
  html.open("dl");
  fact(html, "Since", when(record.opened, now));
  fact(html, "Also affected", alerting::name_list(view.affected, most_affected_on_page));
  if (view.acknowledged_by) fact(html, "Taken by", *view.acknowledged_by);
  if (view.muted) {
    const std::string owner = view.muted->owner.empty() ? "" : ", " + view.muted->owner;
    fact(html, "Muted",
         "by " + view.muted->by + " until " + moment(view.muted->until, now) + owner + ": " + view.muted->reason);
  }
  if (row != nullptr) {
    if (row->view.why != record.summary) fact(html, "Now", row->view.why);
    fact(html, "Confirming", confirming(*row));
    for (const Evidence& evidence : row->observation.evidence) fact(html, evidence.label, evidence.text);
    fact(html, "What to do", row->observation.remedy);
    if (!row->runbook.empty()) html.element("dt", "Runbook").open("dd").link(row->runbook, row->runbook).close("dd");
  }
  if (!view.acknowledged_by) fact(html, "Acknowledge", "vitald ack " + alerting::short_id(record.id));
  html.element("dt", "More").open("dd").open("a", {{"href", "/incidents/" + record.id}});
  html.text("timeline and proof").close("a").close("dd");
  html.close("dl").close("article");
}

void closed(Html& html, const std::vector<alerting::IncidentRecord>& recent, Wall now) {
  if (recent.empty()) return;
  html.open("section").element("h2", "Over of late").open("table").open("tbody");
  for (const auto& record : recent) {
    const Wall end = record.closed.value_or(now);
    const Duration lasted = std::chrono::floor<std::chrono::seconds>(std::max(end - record.opened, Duration::zero()));
    html.open("tr").open("td", {{"class", "state"}}).text(to_string(record.severity)).close("td");
    html.open("th", {{"scope", "row"}}).open("a", {{"href", "/incidents/" + record.id}}).text(record.check);
    html.close("a").close("th").element("td", record.summary, {{"class", "why"}});
    html.element("td", ago(end, now), {{"class", "last"}}).element("td", say_duration(lasted), {{"class", "took"}});
    html.close("tr");
  }
  html.close("tbody").close("table").close("section");
}

void incidents(Html& html, const Operations& operations, Wall now) {
  auto open = operations.incidents();
  if (open.empty()) return;
  std::stable_sort(open.begin(), open.end(), [](const auto& a, const auto& b) {
    if (a.record.severity != b.record.severity) return a.record.severity < b.record.severity;
    return a.record.opened < b.record.opened;
  });
  html.open("section").element("h2",
                               open.size() == 1 ? "1 open incident" : std::to_string(open.size()) + " open incidents");
  for (std::size_t i = 0; i < std::min(open.size(), most_incidents_on_page); ++i) {
    const auto row = operations.board().find(open[i].record.check);
    incident(html, open[i], row.get(), now);
  }
  if (open.size() > most_incidents_on_page) {
    html.element("p", "The others: vitald incidents", {{"class", "note"}});
  }
  html.close("section");
}

void muted(Html& html, const MutedView& view, Wall now) {
  std::vector<std::string> lines;
  for (const auto& window : view.maintenance) {
    if (!window.active) continue;
    lines.push_back(window.checks + " until " + moment(window.active->end, now) + ": maintenance " + window.name);
  }
  for (const auto& silence : view.silences) {
    lines.push_back(silence.checks + " until " + moment(silence.until, now) +
                    (silence.until_recovered ? " or its recovery" : "") + ": " + silence.owner + ", " + silence.reason +
                    " (vitald silence end " + alerting::short_id(silence.id) + ")");
  }
  if (lines.empty()) return;
  html.open("section").element("h2", "Muted");
  for (const std::string& line : lines) html.open("p").text(line, 500).close("p");
  html.close("section");
}

void check(Html& html, const BoardRow& row, Wall now) {
  const Standing kind = standing(row);
  html.open("tr", {{"class", to_string(kind)}});
  html.open("td", {{"class", "state"}}).element("span", to_string(kind), {{"class", "badge"}}).close("td");
  html.open("th", {{"scope", "row"}}).text(row.check);
  html.text(" ").element("small", row.kind == nullptr ? "" : row.kind->name).close("th");
  html.open("td", {{"class", "why"}}).text(row.view.why.empty() ? row.observation.summary : row.view.why);
  if (const auto note = confirming(row); !note.empty()) html.element("small", note);
  if (!row.observation.remedy.empty()) html.element("small", "What to do: " + row.observation.remedy);
  html.close("td");
  const bool ran = row.runs > 0;
  const auto next = row.started + row.every;
  html.element("td", ran ? ago(row.started, now) : "", {{"class", "last"}});
  html.element("td", ran ? say_duration(row.took) : "", {{"class", "took"}});
  const bool ahead = ran && next > now;
  html.element("td",
               ahead ? "in " + say_duration(std::chrono::ceil<std::chrono::seconds>(next - now))
               : ran ? "due"
                     : "soon",
               {{"class", "next"}});
  html.close("tr");
}

void checks(Html& html, const Overview& all, Wall now) {
  html.open("section").element("h2", "Checks");
  html.open("table").open("thead").open("tr");
  html.element("th", "State").element("th", "Check").element("th", "What it found");
  html.element("th", "Last run").element("th", "Took").element("th", "Next").close("tr").close("thead").open("tbody");
  for (const BoardRow* row : all.rows) check(html, *row, now);
  html.close("tbody").close("table");
  if (all.total > all.rows.size()) {
    html.element("p",
                 std::to_string(all.total - all.rows.size()) +
                     " more checks do not stand here, the worst come first. All of them: "
                     "vitald status, or /api/v1/checks",
                 {{"class", "note"}});
  }
  html.close("section");
}

}  // namespace

std::string status_page(const Operations& operations, const std::vector<alerting::IncidentRecord>& recent) {
  const DaemonView view = operations.view();
  const Overview all = overview(operations.board().rows(), most_rows_on_page);
  Html html;
  head(html, view, all);
  html.open("body").open("main");
  summary(html, view, all);
  own_troubles(html, view);
  incidents(html, operations, view.now);
  muted(html, operations.muted(), view.now);
  closed(html, recent, view.now);
  checks(html, all, view.now);
  html.open("footer").element(
      "p", "As of " + say_time(view.now, true) + ", renewed every 15 s. vitald " + view.version + ", up " +
               say_duration(std::chrono::floor<std::chrono::seconds>(view.now - view.started)) + ".");
  html.close("footer").close("main").close("body").close("html");
  return std::move(html).str();
}

}  // namespace vitald::daemon
