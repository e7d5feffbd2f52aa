// backup: the newest of the files that a pattern names: fresh, complete, as large as usual, and enough of them kept.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/backup_judge.hpp"
#include "probes/backup_verify.hpp"
#include "probes/glob.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::backup {

enum class Verify { by_name, gzip, zstd, none };

/// A verification that one run leaves to the next. Touched on the loop only.
struct Underway {
  std::shared_ptr<Verification> work;
};

struct Config {
  std::vector<std::string> files;  // patterns
  Rules rules;
  Verify verify = Verify::by_name;
  Duration unchanged_for{};  // a file that was changed more recently is still being written
  std::shared_ptr<Underway> underway = std::make_shared<Underway>();

  std::string target() const;
};

/// What was found out about the content of the newest file.
struct Integrity {
  std::optional<Finding> finding = {};
  std::optional<double> progress = {};       // not yet over: so much is read
  std::optional<ProbeFailure> trouble = {};  // it could not be read
};

struct Facts {
  Stock stock;
  std::string missing_folder;
  Integrity integrity;
  Remembered memory;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// How the file is packed, so far as the check wants to know.
Packing packing_for(const Config& config, const std::string& path);

}  // namespace vitald::probes::backup
