#include "probes/docker_trouble.hpp"

#include <algorithm>
#include <array>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::docker {
namespace {

struct Code {
  int number;
  const char* words;
};
// 128 and the number of the signal; 125 to 127 as docker run(1) has them.
constexpr std::array codes = {Code{125, "the engine could not start it"},
                              Code{126, "its command cannot be executed"},
                              Code{127, "its command was not found"},
                              Code{130, "SIGINT"},
                              Code{132, "SIGILL"},
                              Code{134, "SIGABRT"},
                              Code{135, "SIGBUS"},
                              Code{136, "SIGFPE"},
                              Code{137, "SIGKILL"},
                              Code{139, "SIGSEGV"},
                              Code{143, "SIGTERM"}};

std::string say_code(const Container& container) {
  std::string words = "code " + std::to_string(container.exit_code);
  const auto* known =
      std::find_if(codes.begin(), codes.end(), [&](const Code& row) { return row.number == container.exit_code; });
  if (container.out_of_memory) {
    words += " (killed for want of memory)";
  } else if (known != codes.end()) {
    words += std::string(" (") + known->words + ")";
  }
  return words;
}

/// " 3 min ago"
std::string say_since(const std::optional<Wall>& at, Wall now) {
  if (!at || *at > now) return "";
  const Duration length = now - *at;
  return length < std::chrono::seconds(1) ? " just now" : " " + say_duration(length) + " ago";
}

std::string with_error(std::string words, const Container& container) {
  return container.error.empty() ? words : words + ": " + foreign_text(container.error, 200);
}

Trouble missing(const Config& config, const std::string& name) {
  if (config.of_project())
    return {.reason = "missing",
            .words = "the service " + name + " has no container",
            .remedy = "run in the project's folder: docker compose up -d " + name};
  return {.reason = "missing",
          .words = "there is no container " + name,
          .remedy = "create it again, or see its name: docker ps --all"};
}

Trouble exited(const std::string& name, const Container& container, Wall now) {
  return {
      .reason = container.out_of_memory ? "out_of_memory" : "exited",
      .words = with_error(name + " exited with " + say_code(container) + say_since(container.finished, now), container),
      .remedy = "run: docker logs --tail 50 " + name + ", then docker start " + name};
}

std::optional<Trouble> trouble_of_state(const std::string& name, const Container& container, Wall now) {
  const std::string& state = container.state;
  if (state == "running") return std::nullopt;
  if (state == "exited" || state == "stopped") return exited(name, container, now);
  if (state == "restarting")
    return Trouble{.reason = "restarting",
                   .words = with_error(name + " does not stay up: it ended with " + say_code(container) +
                                           " and is being "
                                           "started again, after " +
                                           say_count(container.restarts, "restart"),
                                       container),
                   .remedy = "run: docker logs --tail 50 " + name};
  if (state == "paused")
    return Trouble{.reason = "paused", .words = name + " is paused", .remedy = "run: docker unpause " + name};
  if (state == "dead")
    return Trouble{.reason = "dead",
                   .words = with_error(name + " is dead: the engine could not remove it", container),
                   .remedy = "run: docker rm --force " + name + ", and create it again"};
  if (state == "created" || state == "configured" || state == "initialized")
    return Trouble{.reason = "never_started",
                   .words = with_error(name + " was created, but never started", container),
                   .remedy = "run: docker start " + name};
  if (state == "removing") return Trouble{.reason = "removing", .words = name + " is being removed", .remedy = ""};
  return Trouble{.reason = "not_running", .words = name + " is " + foreign_text(state, 40), .remedy = ""};
}

/// "2 of 3 …": docker.io/library/nginx -> nginx:latest
std::string normal(std::string image) {
  for (const std::string_view front : {"docker.io/library/", "docker.io/"}) {
    if (image.starts_with(front)) image.erase(0, front.size());
  }
  const auto name = image.substr(image.rfind('/') + 1);
  return name.find_first_of(":@") == std::string::npos ? image + ":latest" : image;
}

}  // namespace

bool same_image(const std::string& wanted, const Container& container) {
  if (wanted.starts_with("sha256:")) return container.image_id == wanted;
  return normal(wanted) == normal(container.image);
}

std::optional<Trouble> trouble_of(const Config& config, const Seen& seen, Wall now) {
  const std::string name = foreign_text(seen.name, 60);
  if (!seen.container) return missing(config, name);
  const Container& container = *seen.container;
  if (auto trouble = trouble_of_state(name, container, now)) return trouble;
  const std::string remedy = "run: docker inspect --format '{{json .State.Health}}' " + name;
  if (container.health == "unhealthy")
    return Trouble{
        .reason = "unhealthy",
        .words = name + " is unhealthy: " + say_count(container.failed_in_a_row, "failed health check") + " in a row",
        .remedy = remedy,
        .runs = true};
  const bool late = container.started && now - *container.started > config.start_within;
  if (container.health == "starting" && late)
    return Trouble{.reason = "starting",
                   .words = name + " was started" + say_since(container.started, now) +
                            ", and its health check has not succeeded yet",
                   .remedy = remedy,
                   .runs = true};
  return std::nullopt;
}

std::optional<Trouble> image_trouble_of(const Config& config, const Seen& seen) {
  if (!seen.container) return std::nullopt;
  auto wanted = config.images.find(seen.service);
  if (wanted == config.images.end()) wanted = config.images.find(seen.name);
  if (wanted == config.images.end() || same_image(wanted->second, *seen.container)) return std::nullopt;
  const bool by_id = wanted->second.starts_with("sha256:");
  const std::string name = foreign_text(seen.name, 60);
  return Trouble{.reason = "wrong_image",
                 .words = name + " is made from " +
                          foreign_text(by_id ? seen.container->image_id : seen.container->image, 100) + " instead of " +
                          wanted->second,
                 .remedy = config.of_project() ? "run in the project's folder: docker compose up -d"
                                               : "pull the image and create the container " + name + " again",
                 .runs = true};
}

std::string say(const Config& config, const Seen& seen, Wall now) {
  if (seen.ended_well) return foreign_text(seen.name, 60) + " has done its work and ended";
  if (const auto trouble = trouble_of(config, seen, now)) return trouble->words;
  const Container& container = *seen.container;
  std::string words = foreign_text(seen.name, 60) + " runs";
  if (container.started && *container.started <= now)
    words += " for " + say_duration(std::max<Duration>(now - *container.started, std::chrono::seconds(1)));
  if (!container.health.empty()) words += ", " + foreign_text(container.health, 20);
  if (container.restarts > 0) words += ", " + say_count(container.restarts, "restart");
  return words;
}

}  // namespace vitald::probes::docker
