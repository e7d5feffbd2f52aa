// Ten thousand random rotations: each matching line is counted exactly once, whatever happens between two runs.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "probes/log_follow.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

namespace fs = std::filesystem;
using vitald::testing::Folder;

constexpr int most_kept = 7;  // rotated files; more than rotations between two runs, as on any host that keeps its logs

std::string contents(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// A program that writes, and a logrotate of any style.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), style_(static_cast<Style>(upto(2))) { open_log(); }
  ~World() {
    ::close(writer_);
    for (const int each : held_) ::close(each);
  }

  std::size_t upto(std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random_); }
  bool chance(int percent) { return static_cast<int>(upto(99)) < percent; }

  void write() {
    std::string text = std::exchange(half_, "");
    for (std::size_t lines = upto(6); lines > 0; --lines) text += line() + "\n";
    if (chance(25)) {
      const std::string next = line() + "\n";
      const std::size_t cut = 1 + upto(next.size() - 2);
      text += next.substr(0, cut);
      half_ = next.substr(cut);
    }
    history += " write-to-" + std::to_string(id_) + (half_.empty() ? "" : "-and-half");
    put(text);
  }

  void rotate() {
    ++rotations;
    if (style_ == Style::copies || (style_ == Style::both && chance(50))) {
      copy_and_truncate();
    } else {
      rename(chance(50));
    }
  }

  /// Any rotated file that nobody writes to.
  void pack() {
    for (int i = 1; i <= most_kept; ++i) {
      const fs::path path = rotated(i);
      if (fs::exists(path) && path != written_to_ && chance(60)) pack(path);
    }
  }

  /// As after a deploy that removes the logs; only when nothing was left to read in it.
  void recreate() {
    history += " recreate";
    recreated = true;
    finish_line();
    fs::remove(log_);
    reopen();
  }

  void finish_line() { put(std::exchange(half_, "")); }
  void reopen() {
    history += " reopen";
    finish_line();
    ::close(writer_);
    open_log();
  }

  Wall now() const { return Wall(Duration(clock_)); }
  const std::string& path() const { return log_; }
  bool finished() const { return half_.empty(); }

  std::string history;  // what happened, for a failure
  int rotations = 0;
  bool recreated = false;  // then what the old file may have held is a gap, and said to be one
  std::map<std::uint64_t, int> expected;

 private:
  /// A log is rotated in one way. Where somebody mixes them, a half line that was copied and goes on in a file that is
  /// renamed and packed before the next run has no place where anybody could find its end.
  enum class Style { renames, copies, both };

  std::string line() {
    ++id_;
    const bool matches = chance(40);
    if (matches) expected[id_] = 1;
    std::string text = "#" + std::to_string(id_) + (matches ? " ERROR " : " info ");
    const std::size_t kind = upto(199);
    if (kind == 0) return text + std::string(60'000 + upto(120'000), 'x');
    if (kind < 10) {
      for (int i = 0; i < 200; ++i) text += static_cast<char>(upto(255));
      std::replace(text.begin(), text.end(), '\n', ' ');
      std::replace(text.begin(), text.end(), '#', ' ');
      text.front() = '#';
      return text;
    }
    return text + "the job " + std::to_string(upto(1'000'000)) + " of worker " + std::to_string(upto(9));
  }

  void put(const std::string& text) {
    if (!text.empty() && ::write(writer_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
    if (!text.empty()) stamp(written_to_);
  }

  /// The file system's clock is too coarse for rotations that are microseconds apart.
  void stamp(const fs::path& path) {
    clock_ += 20'000'000;
    stamp(path, clock_);
  }
  void stamp(const fs::path& path, std::int64_t at) {
    const timespec time{at / 1'000'000'000, at % 1'000'000'000};
    const timespec both[2] = {time, time};
    ::utimensat(AT_FDCWD, path.c_str(), both, 0);
  }

  void open_log() {
    writer_ = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    written_to_ = log_;
    if (contents(log_).empty()) stamp(log_);
  }

  fs::path rotated(int number) const {
    const fs::path plain = log_ + "." + std::to_string(number);
    return fs::exists(plain) ? plain : fs::path(plain.string() + ".gz");
  }

  void shift() {
    hold(rotated(most_kept));
    fs::remove(rotated(most_kept));
    for (int i = most_kept - 1; i >= 1; --i) {
      const fs::path from = rotated(i);
      if (!fs::exists(from)) continue;
      const fs::path to = log_ + "." + std::to_string(i + 1) + (from.extension() == ".gz" ? ".gz" : "");
      fs::rename(from, to);
      if (written_to_ == from) written_to_ = to;
    }
  }

  /// So that its inode is not used again: not even the birth tells files that are microseconds apart.
  void hold(const fs::path& path) {
    const int held = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (held >= 0) held_.push_back(held);
  }

  void rename(bool at_once) {
    history += at_once ? " rename" : " rename-and-write-on";
    if (written_to_ != log_) reopen();
    shift();
    fs::rename(log_, log_ + ".1");
    written_to_ = log_ + ".1";
    if (!at_once) return;  // it writes on into the old file for a while
    reopen();
    if (chance(30)) pack(log_ + ".1");
  }

  void copy_and_truncate() {
    history += " copytruncate";
    if (written_to_ != log_) reopen();
    if (style_ == Style::both) finish_line();
    shift();
    const fs::path copy = log_ + ".1";
    fs::copy_file(log_, copy);
    stamp(copy);
    fs::resize_file(log_, 0);
    stamp(log_);
    if (chance(30)) pack(copy);
  }

  void pack(const fs::path& path) {
    if (path.extension() == ".gz") return;
    history += " pack-" + path.extension().string();
    struct stat facts {};
    ::stat(path.c_str(), &facts);
    const std::string text = contents(path);
    const fs::path packed = path.string() + ".gz";
    const gzFile out = ::gzopen(packed.c_str(), "wb1");
    if (!text.empty()) ::gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    ::gzclose(out);
    hold(path);
    stamp(packed, facts.st_mtim.tv_sec * std::int64_t{1'000'000'000} + facts.st_mtim.tv_nsec);
    fs::remove(path);
  }

  std::mt19937_64 random_;
  Style style_;
  std::vector<int> held_;
  Folder folder_;
  const std::string log_ = folder_.path() + "/app.log";
  int writer_ = -1;
  fs::path written_to_;
  std::string half_;  // the rest of a line that was begun
  std::uint64_t id_ = 0;
  std::int64_t clock_ = 1'900'000'000'000'000'000;
};

/// What a daemon has when it is killed, and again when it comes back.
struct Counted {
  std::string memory;
  std::map<std::uint64_t, int> lines;
  int rotations = 0;
};

/// What it left for the next one.
std::uint64_t run(World& world, Counted& counted) {
  world.history += " run";
  FollowOptions options;
  options.logs = {world.path()};
  options.from_start = true;
  options.now = world.now();
  options.most_bytes = world.chance(20) ? 150'000 : 64 << 20;
  const auto followed =
      follow(options, Remembered::read(counted.memory), [&](const std::string&, std::string_view line) {
        const auto mark = line.find(" ERROR ");
        if (mark == std::string_view::npos || !line.starts_with('#')) return;
        ++counted.lines[std::stoull(std::string(line.substr(1, mark - 1)))];
      });
  if (!world.recreated) {
    EXPECT_THAT(followed.gaps, ::testing::IsEmpty());
  }
  counted.memory = followed.memory.written();
  counted.rotations = world.rotations;
  return followed.lag;
}

std::string differences(const World& world, const Counted& counted) {
  std::string text;
  for (const auto& [id, times] : world.expected) {
    const auto found = counted.lines.find(id);
    const int seen = found == counted.lines.end() ? 0 : found->second;
    if (seen != 1) text += " #" + std::to_string(id) + " " + std::to_string(seen) + " times";
  }
  for (const auto& [id, times] : counted.lines) {
    if (!world.expected.contains(id)) text += " #" + std::to_string(id) + " does not match";
  }
  return text;
}

void run_to_the_end(World& world, Counted& counted) {
  world.finish_line();
  while (run(world, counted) > 0) {
  }
}

/// The number of its rotations.
int episode(std::uint64_t seed, int rotations) {
  World world(seed);
  Counted counted, committed;
  run(world, counted);
  committed = counted;
  while (world.rotations < rotations) {
    const auto what = world.upto(99);
    if (what < 45) world.write();
    if (what >= 45 && what < 65 && world.rotations - committed.rotations < 3) world.rotate();
    if (what >= 65 && what < 72) world.pack();
    if (what >= 72 && what < 75) world.reopen();
    if (what >= 75) run(world, counted);
    if (what >= 85) committed = counted;
    if (what == 74) {  // killed: what was counted since is not known either
      world.history += " killed";
      counted = committed;
    }
    if (what == 99 && world.chance(50)) {
      run_to_the_end(world, counted);
      world.recreate();
      run(world, counted);
      committed = counted;
    }
    if (::testing::Test::HasFailure()) break;
  }
  run_to_the_end(world, counted);
  EXPECT_EQ(differences(world, counted), "") << "seed " << seed << world.history;
  return world.rotations;
}

TEST(LogProperty, TenThousandRotationsCountEachLineOnce) {
  const char* const given = std::getenv("LOG_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
  std::printf("LOG_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  int rotations = 0;
  for (std::uint64_t i = 0; rotations < 10'000 && !HasFailure(); ++i) rotations += episode(seed + i, 25);
  std::printf("%d rotations\n", rotations);
}

}  // namespace
}  // namespace vitald::probes
