// XML-RPC answers: values within their limits, and faults.
#include "probes/wire/xml_rpc.hpp"

#include <string>

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

constexpr wire::XmlRpcLimits limits{.bytes = 8192, .values = 100, .depth = 4};

std::size_t count(const wire::XmlRpcValue& value, int depth) {
  must(depth <= limits.depth, "nothing is nested deeper than the limit");
  std::size_t values = 1;
  for (const auto& item : value.items) values += count(item, depth + 1);
  for (const auto& [name, member] : value.members) values += count(member, depth + 1);
  static_cast<void>(value.text_of("name"));
  static_cast<void>(value.number_of("state"));
  return values;
}

}  // namespace

void xml_rpc(const std::uint8_t* data, std::size_t size) {
  if (size > 32 * 1024) return;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto answer = wire::xml_rpc_answer(text, limits);
  must(answer || !answer.failure().what.empty(), "what is refused is refused in words");
  if (!answer) return;
  must(size <= limits.bytes, "no more is taken than the limit");
  if (const auto* value = std::get_if<wire::XmlRpcValue>(&*answer))
    must(count(*value, 0) <= limits.values, "there are no more values than the limit");
}

}  // namespace vitald::fuzz
