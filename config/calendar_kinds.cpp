#include "config/calendar_kinds.hpp"

namespace vitald::config {

std::string CronText::type_name() const { return "cron expression"; }
std::string CronText::schema() const {
  return R"({"type":"string","pattern":"^\\s*(@[A-Za-z]+|[^\\s@]\\S*(\\s+\\S+){4})\\s*$"})";
}
Result<Cron> CronText::read(const Node& node, Problems&) const {
  if (node.kind == Node::Kind::scalar) return Cron::parse(node.scalar);
  return Failure{"", "expected a cron expression such as '0 7 * * 1', found " + std::string(node.kind_name())};
}
Cron CronText::dummy() const { return {}; }
std::string CronText::show(const Cron& value) const { return value.text(); }

std::string ZoneName::type_name() const { return "time zone"; }
std::string ZoneName::schema() const { return R"({"type":"string","pattern":"^[A-Za-z0-9_+/-]+$"})"; }
Result<TimeZone> ZoneName::read(const Node& node, Problems&) const {
  if (node.kind == Node::Kind::scalar) return TimeZone::named(node.scalar);
  return Failure{"", "expected a time zone such as Europe/Berlin, found " + std::string(node.kind_name())};
}
TimeZone ZoneName::dummy() const { return {}; }
std::string ZoneName::show(const TimeZone& value) const { return value.name(); }

}  // namespace vitald::config
