// Any text as a cron expression: what is taken has a next and a previous moment, and the two agree.
#include "config/cron.hpp"

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {

void cron(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = Cron::parse(text);
  if (!parsed) {
    must(!parsed.failure().what.empty(), "a refusal has a sentence");
    must(parsed.failure().what.size() < 300, "a refusal is short, whatever was written");
    return;
  }
  const Wall now = Wall() + std::chrono::hours(20'000 * 24 + 7);
  const Wall next = parsed->next(TimeZone(), now);
  must(next > now && next < now + std::chrono::hours(24 * 366 * 41), "what is taken happens");
  must(parsed->next(TimeZone(), next - std::chrono::seconds(1)) == next, "next of the second before is the same");
  must(parsed->previous(TimeZone(), next + std::chrono::seconds(1)) == next,
       "previous of the second after is the same");
  must(parsed->previous(TimeZone(), next) <= now, "nothing happens between now and the next one");
}

}  // namespace vitald::fuzz
