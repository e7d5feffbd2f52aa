// What a probe's run needs in a test: a loop that is driven until the run ends, a clock that stands still, a folder
// that plays the host, and services that refuse what a test did not prepare.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "probes/helper.hpp"
#include "probes/probe.hpp"
#include "probes/workers.hpp"

namespace vitald::testing {

/// Drives `loop` until `work` ended, and hands out its value or its exception.
template <class T>
T finish(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
  using Kept = std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>>;
  Kept kept{};
  std::exception_ptr failed;
  bool ended = false;
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr error) { failed = error, ended = true; });
  } else {
    boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr error, T value) {
      failed = error;
      ended = true;
      if (!error) kept.emplace(std::move(value));
    });
  }
  loop.restart();
  while (!ended && loop.run_one() > 0) {
  }
  if (!ended) throw std::logic_error("the loop ran dry before the work ended");
  if (failed) std::rethrow_exception(failed);
  if constexpr (!std::is_void_v<T>) return std::move(*kept);
}

struct StandingClock final : Clock {
  Now now() const override { return at; }
  Now at{Steady{} + std::chrono::hours(1), Wall{} + std::chrono::hours(24 * 20'000)};
};

/// A folder of its own, gone with the object.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vitald-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path_ + name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void make(const std::string& name) const { std::filesystem::create_directories(path_ + name); }

 private:
  std::string path_;
};

struct NoNetwork final : net::Network {
  net::awaitable<std::unique_ptr<net::Stream>> connect(const net::Target& target, net::PhaseLog&) override {
    throw std::logic_error("no connection to " + target.host + " was expected");
    co_return nullptr;
  }
  net::awaitable<std::vector<std::string>> resolve(const net::Target& target, net::PhaseLog&) override {
    std::vector<std::string> as_it_is{target.host};
    co_return as_it_is;
  }
};

/// Runs every job at once, and notes the keys.
struct InlineWorkers final : probes::Workers {
  boost::asio::awaitable<void> run(std::string key, std::function<void()> job) override {
    keys.push_back(std::move(key));
    job();
    co_return;
  }
  Counts counts() const override { return {}; }
  std::vector<std::string> keys;
};

/// Answers from a table; what is not there hangs.
struct FakeHelper final : probes::Helper {
  boost::asio::awaitable<probes::FileSystemUse> statvfs(std::string path, Duration patience) override {
    asked.emplace_back(path, patience);
    const auto found = known.find(path);
    if (found == known.end()) throw probes::ProbeFailure(Outcome::refused, "mount_stuck", path + " hangs");
    co_return found->second;
  }
  boost::asio::awaitable<probes::ProgramEnd> run_program(probes::ProgramStart start, Duration patience) override {
    started.emplace_back(std::move(start), patience);
    if (!program) throw std::logic_error("no program was expected");
    co_return *program;
  }
  std::map<std::string, probes::FileSystemUse> known;
  std::vector<std::pair<std::string, Duration>> asked;
  std::optional<probes::ProgramEnd> program;  // how every program ends
  std::vector<std::pair<probes::ProgramStart, Duration>> started;
};

/// One run's surroundings. Tests replace `network` where they have a script for it.
struct Surroundings {
  boost::asio::io_context loop;
  NoNetwork no_network;
  net::Network* network = &no_network;
  InlineWorkers workers;
  FakeHelper helper;
  Folder folder;
  probes::Host host{folder.path()};
  StandingClock clock;
  std::string memory;  // what the last run left

  /// Of one run; as long as these surroundings.
  probes::ProbeContext context() {
    return {.network = *network,
            .workers = workers,
            .helper = helper,
            .host = host,
            .clock = clock,
            .started = clock.now(),
            .deadline = clock.now().steady + std::chrono::seconds(5),
            .memory = memory,
            .phases = net::PhaseLog(clock)};
  }

  template <class Run, class Config>
  auto run(Run probe, const Config& config) {
    auto one = context();
    return finish(loop, probe(one, config));
  }
};

}  // namespace vitald::testing
