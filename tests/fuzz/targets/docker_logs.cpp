// The log stream of the Docker Engine.
#include "probes/wire/docker_logs.hpp"

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {

void docker_logs(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto text = wire::docker_log_text(bytes);
  must(!text || text->size() <= bytes.size(), "no more comes out than went in");
  must(text || !text.failure().what.empty(), "what is refused is refused in words");
  must(!bytes.empty() || (text && text->empty()), "nothing is an empty log");
}

}  // namespace vitald::fuzz
