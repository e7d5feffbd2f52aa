#include "daemon/incident_page.hpp"

#include <algorithm>

#include "alerting/ids.hpp"
#include "alerting/name_list.hpp"
#include "config/units.hpp"
#include "daemon/html.hpp"
#include "daemon/page.hpp"

namespace vitald::daemon {
namespace {

void fact(Html& html, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  html.element("dt", name).open("dd").text(text, 2000).close("dd");
}

void head(Html& html, const alerting::Story& story) {
  html.doctype().open("html", {{"lang", "en"}}).open("head").open("meta", {{"charset", "utf-8"}});
  html.open("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.open("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  html.open("meta", {{"name", "robots"}, {"content", "noindex"}});
  html.open("link", {{"rel", "stylesheet"}, {"href", "/style.css"}});
  html.element("title", story.record.check + " - " + alerting::short_id(story.record.id)).close("head");
}

void facts(Html& html, const alerting::Story& story, Wall now) {
  const alerting::Notification& told = story.facts;
  const Wall end = story.record.closed.value_or(now);
  const Duration lasted = std::chrono::floor<std::chrono::seconds>(std::max(end - told.opened, Duration::zero()));
  html.open("dl");
  fact(html, "Incident", story.record.id);
  fact(html, "From", say_time(told.opened, true));
  fact(html, "To", story.record.closed ? say_time(*story.record.closed, true) : "still open");
  fact(html, "Lasted", say_duration(lasted));
  fact(html, "Confirmed by", told.confirmed_by);
  fact(html, "Cause", told.cause);
  fact(html, "Also affected", alerting::name_list(told.affected, most_affected_on_page));
  fact(html, "Taken by", told.acknowledged_by.value_or(""));
  for (const auto& [receiver, how] : story.record.told) {
    std::string words = how.refused                        ? "refused"
                        : story.reached.contains(receiver) ? "delivered"
                                                           : "not known to be delivered";
    if (how.messages > 0) words += ", " + std::to_string(how.messages) + " from " + say_time(how.first, true);
    fact(html, "Told " + receiver, words);
  }
  fact(html, "What to do", told.remedy);
  if (!told.runbook.empty()) html.element("dt", "Runbook").open("dd").link(told.runbook, told.runbook).close("dd");
  if (!told.acknowledged_by && !story.record.closed)
    fact(html, "Acknowledge", "vitald ack " + alerting::short_id(story.record.id));
  fact(html, "Post-mortem", "vitald report " + alerting::short_id(story.record.id));
  html.close("dl");
}

void timeline(Html& html, const alerting::Story& story) {
  html.open("section").element("h2", "Timeline").open("table").open("tbody");
  for (const alerting::Reason& reason : story.timeline) {
    html.open("tr").element("td", say_time(reason.at, true), {{"class", "when"}});
    html.open("td", {{"class", "what"}}).text(reason.text);
    if (reason.times > 1)
      html.element("small", std::to_string(reason.times) + " times since " + say_time(reason.first, true));
    html.close("td").close("tr");
  }
  html.close("tbody").close("table").close("section");
}

void proof(Html& html, std::string_view title, const alerting::Sighting& seen) {
  if (seen.at == Wall{}) return;
  html.open("section").element("h2", std::string(title) + ", " + say_time(seen.at, true));
  html.element("p", seen.summary, {{"class", "summary"}}).open("dl");
  for (const Evidence& piece : seen.evidence) fact(html, piece.label, piece.text);
  html.close("dl").close("section");
}

}  // namespace

std::string incident_page(const alerting::Story& story, const DaemonView& view) {
  Html html;
  head(html, story);
  html.open("body").open("main");
  html.open("header", {{"class", story.record.closed ? "ok" : to_string(story.record.status)}});
  html.element("p", view.instance, {{"class", "instance"}});
  html.element("h1", std::string(to_string(story.record.severity)) + " " + std::string(to_string(story.record.status)) +
                         ": " + story.record.check);
  html.element("p", story.record.summary, {{"class", "summary"}}).close("header");
  html.open("section");
  facts(html, story, view.now);
  html.close("section");
  timeline(html, story);
  proof(html, "First bad observation", story.first_bad);
  proof(html, "Last bad observation", story.last_bad);
  html.open("footer").open("p").open("a", {{"href", "/"}}).text("All checks").close("a").close("p").close("footer");
  html.close("main").close("body").close("html");
  return std::move(html).str();
}

}  // namespace vitald::daemon
