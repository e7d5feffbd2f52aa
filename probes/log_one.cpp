#include "probes/log_one.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "config/units.hpp"
#include "probes/log_names.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr std::size_t most_candidates = 64;  // rotated files that are looked at
constexpr std::size_t most_registered = 8;   // of those that are there at the first run
constexpr std::uint64_t certain_bytes = 64;  // so many of them are alike in no two logs by chance

std::string folder_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }

ProbeFailure trouble_with(const std::string& path, int error) {
  if (error == EACCES || error == EPERM) {
    return ProbeFailure(
        Outcome::unmeasured, "denied:" + path, "vitald may not read " + path,
        "run: setfacl -m u:vitald:r " + path + " && setfacl -m d:u:vitald:r,u:vitald:x " + folder_of(path));
  }
  if (error == ENOTSUP) return ProbeFailure(Outcome::unmeasured, "not_a_file:" + path, path + " is no regular file");
  return ProbeFailure(Outcome::unmeasured, "unreadable:" + path,
                      "vitald could not read " + path + ": " + std::generic_category().message(error));
}

}  // namespace

OneLog::OneLog(const FollowOptions& options, std::string path, std::optional<LogMemory> known, bool fresh)
    : options_(options), known_(known.has_value()), fresh_(fresh) {
  about_.path = std::move(path);
  memory_ = std::move(known).value_or(LogMemory{});
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(options.now.time_since_epoch()).count();
  if (!known_) memory_.since = now;
  about_.since = Wall(std::chrono::seconds(std::clamp<std::int64_t>(memory_.since, 0, now)));
}

void OneLog::run(std::uint64_t& budget, const OnLogLine& on_line, Followed& into) {
  if (!look()) return;
  if (!options_.reads) {
    begin();
    return remember();
  }
  if (known_ || fresh_) {
    was_current_ = memory_.current;
    place();
    add_new();
    drop_missing(into);
  } else {
    begin();
  }
  read_all(budget, on_line, into);
  remember();
}

/// What is there now. False when it cannot be read: then it is remembered as it was.
bool OneLog::look() {
  std::error_code error;
  auto bytes = LogBytes::open(options_.root + about_.path, error);
  for (LogFile& file : rotated_files(options_.root, about_.path, options_.rotated, most_candidates)) {
    if (!about_.rotated || file.changed > about_.rotated->changed) about_.rotated = file;
    candidates_.push_back(std::make_unique<Candidate>(Candidate{.file = std::move(file)}));
  }
  if (bytes == nullptr) {
    if (error.value() == ENOENT || error.value() == ENOTDIR) return true;
    about_.trouble = trouble_with(about_.path, error.value());
    return false;
  }
  bytes->stop = options_.stop;
  about_.file = bytes->file();
  about_.file->path = about_.path;
  auto at_path = std::make_unique<Candidate>(Candidate{.file = *about_.file, .at_path = true});
  at_path->bytes = std::move(bytes);
  candidates_.insert(candidates_.begin(), std::move(at_path));
  return true;
}

LogBytes* OneLog::bytes_of(Candidate& candidate) {
  if (candidate.bytes == nullptr && !candidate.unreadable) {
    std::error_code error;
    const bool possible = is_gzip_name(candidate.file.path) || !is_packed_name(candidate.file.path);
    if (possible) candidate.bytes = LogBytes::open(options_.root + candidate.file.path, error);
    candidate.unreadable = candidate.bytes == nullptr;
    if (candidate.bytes != nullptr) candidate.bytes->stop = options_.stop;
  }
  return candidate.bytes.get();
}

/// The first run: what is there is old, and known from now on.
void OneLog::begin() {
  std::size_t registered = 0;
  for (const auto& candidate : candidates_) {
    LogBytes* const bytes = bytes_of(*candidate);
    if (bytes == nullptr || (!candidate->at_path && registered++ == most_registered)) continue;
    Position position = at_the_end(*bytes);
    if (candidate->at_path && options_.from_start) position = position_in(bytes->file());
    candidate->taken = true;
    placed_.insert(placed_.begin(), Placed{position, candidate.get()});
  }
}

bool OneLog::adopt(Placed& placed, Candidate& candidate) {
  LogBytes* const bytes = bytes_of(candidate);
  // The same packed file, read to its end: nobody writes to it, and unpacking it again would tell nothing new.
  const bool is_done = bytes != nullptr && bytes->packed() && same_file(bytes->file(), placed.position) &&
                       bytes->size() == placed.position.seen;
  if (bytes == nullptr || !(is_done || continues(*bytes, placed.position))) {
    stopped_ = stopped_ || (bytes != nullptr && bytes->stopped);
    return false;
  }
  placed.at = &candidate;
  placed.position.device = bytes->file().device;
  placed.position.inode = bytes->file().inode;
  placed.position.born = bytes->file().born;
  placed.position.missed = 0;
  candidate.taken = true;
  return true;
}

void OneLog::place() {
  for (const Position& position : memory_.positions) placed_.push_back({position});
  const Position before = placed_.empty() ? Position{} : placed_.back().position;
  place_by_inode();
  place_by_content();
  if (!was_current_ || placed_.back().at == nullptr) return;
  for (const auto& candidate : candidates_) {
    if (candidate.get() != placed_.back().at && same_file(candidate->file, before)) cut_ = candidate.get();
  }
}

void OneLog::place_by_inode() {
  for (Placed& placed : placed_) {
    for (const auto& candidate : candidates_) {
      if (candidate->taken || !same_file(candidate->file, placed.position)) continue;
      if (adopt(placed, *candidate)) break;
    }
  }
}

/// The newest first: it is the one that has been copied or packed meanwhile. But those of which so little is known that
/// much would fit come last. Plain files before packed ones.
void OneLog::place_by_content() {
  for (const bool certain : {true, false}) {
    for (std::size_t i = placed_.size(); i > 0; --i) {
      Placed& placed = placed_[i - 1];
      const std::uint64_t seen = placed.position.seen;
      if (placed.at == nullptr && seen > 0 && (seen >= certain_bytes) == certain)
        find_content(placed, was_current_ && i == placed_.size());
    }
  }
}

/// Whether it was written later than a file that came after. That alone says little, since some pack without keeping
/// the time; but where the content says little as well, it is another file.
bool OneLog::is_too_new(const Candidate& candidate, const Placed& placed) const {
  if (placed.position.seen >= certain_bytes) return false;
  const auto self = placed_.begin() + (&placed - placed_.data());
  return std::any_of(self + 1, placed_.end(), [&](const Placed& later) {
    return later.at != nullptr && later.at->file.modified < candidate.file.modified;
  });
}

void OneLog::find_content(Placed& placed, bool may_be_at_path) {
  for (const bool packed : {false, true}) {
    for (const auto& candidate : candidates_) {
      if (candidate->taken || is_packed_name(candidate->file.path) != packed) continue;
      if (candidate->at_path && !may_be_at_path) continue;
      if (is_too_new(*candidate, placed)) continue;
      if (adopt(placed, *candidate)) return;
    }
  }
}

/// A copy of a file that is known: hand-made, or one that rotation is about to pack.
bool OneLog::is_copy(Candidate& candidate) {
  LogBytes& bytes = *bytes_of(candidate);
  return std::any_of(candidates_.begin(), candidates_.end(), [&](const auto& other) {
    if (other.get() == &candidate || (!other->taken && !other->at_path)) return false;
    LogBytes* const original = bytes_of(*other);
    if (original == nullptr || !std::string_view(original->head()).starts_with(bytes.head())) return false;
    if (bytes.head().size() < certain_bytes) return bytes.size() == original->size();
    return bytes.packed() || bytes.size() <= original->size();
  });
}

/// Files that came into being, and perhaps were rotated as well, since the last run.
void OneLog::add_new() {
  Candidate* const at_path = about_.file ? candidates_.front().get() : nullptr;
  std::optional<Placed> current;
  const auto found = std::find_if(placed_.begin(), placed_.end(),
                                  [&](const Placed& each) { return at_path != nullptr && each.at == at_path; });
  const bool found_at_path = found != placed_.end();
  if (found_at_path) {
    current = *found;
    placed_.erase(found);
  }
  // Then no rotation can have come in between, and what lies about is somebody's copy.
  const bool goes_on = current && current->position.seen >= certain_bytes;
  const std::size_t from = placed_.size();
  for (const bool packed : {false, true}) {
    for (const auto& candidate : candidates_) {
      const LogFile& file = candidate->file;
      if (goes_on || candidate->taken || candidate->at_path || is_packed_name(file.path) != packed) continue;
      if (!known_ || file.modified < memory_.horizon || file.size == 0) continue;
      LogBytes* const bytes = bytes_of(*candidate);
      if (bytes == nullptr || bytes->head().empty() || is_copy(*candidate)) continue;
      candidate->taken = true;
      placed_.push_back({position_in(bytes->file()), candidate.get()});
    }
  }
  std::stable_sort(placed_.begin() + static_cast<std::ptrdiff_t>(from), placed_.end(),
                   [](const Placed& a, const Placed& b) { return a.at->file.modified < b.at->file.modified; });
  if (at_path != nullptr && !at_path->taken) {
    at_path->taken = true;
    current = Placed{position_in(at_path->file), at_path};
  }
  const std::size_t many = placed_.size();
  if (current) placed_.push_back(*current);
  if (cut_ != nullptr) return join_half_lines(from);
  const bool was_empty = was_current_ && memory_.positions.back().seen == 0;
  if (!was_empty || from == placed_.size()) return;
  // An empty file looks the same after it was filled, copied and cut: the copies are what is new, and the first of them
  // goes on with what the file itself was to go on with.
  const std::size_t self = memory_.positions.size() - 1;
  if (!found_at_path && placed_[self].at != nullptr) return put_before(self, many);
  if (found_at_path) placed_.back().position.continued = false;
  placed_[from].position.continued = memory_.positions.back().continued;
  if (!found_at_path || many == from) return;
  cut_ = at_path;
  join_half_lines(from + 1);
}

/// What stands between `self` and `end` and was written earlier than it: copies of what it held before it was cut,
/// filled again and renamed.
void OneLog::put_before(std::size_t self, std::size_t end) {
  const auto cut = placed_.begin() + static_cast<std::ptrdiff_t>(self);
  if (cut->at == nullptr) return;
  const auto newer = std::find_if(cut + 1, placed_.begin() + static_cast<std::ptrdiff_t>(end),
                                  [&](const Placed& each) { return each.at->file.modified > cut->at->file.modified; });
  if (newer == cut + 1) return;
  (cut + 1)->position.continued = std::exchange(cut->position.continued, false);
  std::rotate(cut, cut + 1, newer);
}

/// A program that writes on into a file which was cut to nothing ends there the line that it had begun before. So the
/// half line at the end of each copy, up to the file itself, is the beginning of the next one's first.
void OneLog::join_half_lines(std::size_t from) {
  for (std::size_t i = from; i > 0 && i < placed_.size(); ++i) {
    placed_[i - 1].position.carries = true;
    placed_[i].position.continued = true;
    if (placed_[i].at == cut_) return;
  }
}

void OneLog::drop_missing(Followed& into) {
  constexpr Duration while_ago = std::chrono::hours(1);
  const bool is_idle = options_.now - Wall(Duration(memory_.horizon)) > while_ago;
  const int patience = stopped_ ? 3 : 2;  // a renaming may be under way; a big packed file may take too long
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    Placed& each = placed_[i];
    if (each.at != nullptr) continue;
    each.position.missed += 1;
    // Nobody knows what was written to it after the last run; hardly anything, where nothing had been for a while.
    if (was_current_ && i + 1 == memory_.positions.size() && !is_idle) each.position.unread = true;
    if (each.position.missed < patience || !each.position.unread) continue;
    into.gaps.push_back(about_.path + " was emptied, deleted or replaced, and what it held after the first " +
                        say_bytes(static_cast<double>(each.position.offset)) + " was not found any more");
  }
  std::erase_if(placed_, [&](const Placed& each) {
    return each.at == nullptr && (each.position.missed >= patience || each.position.seen == 0);
  });
}

/// In their order. What cannot be read to its end in this run holds up those behind it.
void OneLog::read_all(std::uint64_t& budget, const OnLogLine& on_line, Followed& into) {
  const auto counted = [&](std::string_view line) {
    into.lines += 1;
    on_line(about_.path, line);
  };
  bool held_up = false;
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    Position& position = placed_[i].position;
    if (placed_[i].at == nullptr) continue;
    LogBytes& bytes = *placed_[i].at->bytes;
    const std::uint64_t before = position.seen;
    if (!held_up) {
      LogLines lines(counted, position.skipping, position.continued ? memory_.carry : "");
      const bool at_end = read_on(position, bytes, budget, lines);
      if (position.continued && (position.offset > 0 || position.skipping)) {
        position.continued = false;
        memory_.carry.clear();
      }
      if (at_end && position.carries) {
        position.carries = position.continued = false;
        position.offset = position.seen;
        memory_.carry = lines.rest();
        if (i + 1 < placed_.size()) placed_[i + 1].position.skipping = lines.skipping();
      }
      held_up = !at_end && !bytes.broken;
    }
    into.bytes += position.seen - before;
    position.unread = bytes.size() > position.seen;
    if (position.unread) into.lag += bytes.size() - position.seen;
  }
}

/// True when its end was reached.
bool OneLog::read_on(Position& position, LogBytes& bytes, std::uint64_t& budget, LogLines& lines) {
  const bool complete = bytes.packed() && bytes.size() == position.seen;
  if (complete && position.offset == position.seen) return true;
  const std::uint64_t from = std::max(position.offset, bytes.data_from(position.offset));
  std::uint64_t at = from - std::min<std::uint64_t>(from, tail_bytes);
  std::string tail;
  bool at_end = false;
  while (!at_end && budget > 0 && !options_.stop()) {
    const auto most = std::min<std::uint64_t>(piece_bytes, budget + tail_bytes);
    const std::string piece = bytes.read(at, static_cast<std::size_t>(most));
    at_end = piece.empty() && !bytes.broken && !bytes.stopped;
    if (piece.empty()) break;
    const std::size_t old = at < from ? static_cast<std::size_t>(std::min<std::uint64_t>(from - at, piece.size())) : 0;
    lines.feed(std::string_view(piece).substr(old));
    at += piece.size();
    budget -= std::min<std::uint64_t>(budget, piece.size() - old);
    tail += piece;
    tail.erase(0, tail.size() - std::min(tail.size(), tail_bytes));
  }
  if (at < from) return at_end;
  // Nobody writes to a packed file any more, unless its half line goes on in the file that was cut to nothing.
  if (at_end && bytes.packed() && !position.carries) lines.finish();
  position.offset = at - lines.pending();
  position.skipping = lines.skipping();
  if (at <= position.seen) return at_end;
  position.seen = at;
  take_fingerprint(bytes, tail, position);
  return at_end;
}

void OneLog::remember() {
  memory_.positions.clear();
  std::int64_t unread_from = std::numeric_limits<std::int64_t>::max();
  for (const Placed& placed : placed_) {
    memory_.positions.push_back(placed.position);
    if (placed.at == nullptr) continue;
    memory_.horizon = std::max(memory_.horizon, placed.at->file.modified);
    // Nothing is known of it by which it would be found again.
    if (placed.position.unread && placed.position.seen == 0)
      unread_from = std::min(unread_from, placed.at->file.modified);
  }
  const std::int64_t now = options_.now.time_since_epoch().count();
  memory_.horizon = std::min({memory_.horizon, unread_from, now});
  const Candidate* const newest = placed_.empty() ? nullptr : placed_.back().at;
  memory_.current = newest != nullptr && newest->at_path;
  about_.moved = newest != nullptr && !newest->at_path;
}

void OneLog::keep(std::size_t positions, std::size_t carry) {
  const std::size_t many = memory_.positions.size();
  const auto old = static_cast<std::ptrdiff_t>(many - std::min(many, positions));
  memory_.positions.erase(memory_.positions.begin(), memory_.positions.begin() + old);
  memory_.carry.resize(std::min(memory_.carry.size(), carry));
}

}  // namespace vitald::probes
