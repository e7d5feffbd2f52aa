#include "probes/mounts.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace vitald::probes {
namespace {

constexpr std::size_t most_mounts = 4096;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// The kernel writes blank, tab, newline and backslash as \040 \011 \012 \134.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
std::optional<Mount> parse_line(std::string_view line) {
  const auto fields = split(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  // A source may be empty, so the options of the file system are the last field rather than the third after the dash.
  if (dash - fields.begin() < 6 || fields.end() - dash < 3) return std::nullopt;
  Mount mount{.point = unescape(fields[4]), .type = std::string(dash[1]), .device = std::string(fields[2])};
  for (const auto option : split(fields.back(), ',')) {
    // Since Linux 6.15 ext4 stays "rw,emergency_ro" after an error with errors=remount-ro.
    if (option == "ro" || option == "emergency_ro") mount.read_only = true;
  }
  return mount;
}

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr auto unreal_types = std::to_array<std::string_view>(
    {"autofs",    "binder",   "binfmt_misc", "bpf",    "cgroup",  "cgroup2",   "configfs", "cramfs",     "debugfs",
     "devpts",    "devtmpfs", "efivarfs",    "erofs",  "fusectl", "hugetlbfs", "iso9660",  "mqueue",     "nfsd",
     "nsfs",      "overlay",  "proc",        "pstore", "ramfs",   "romfs",     "rootfs",   "rpc_pipefs", "securityfs",
     "selinuxfs", "squashfs", "sysfs",       "tmpfs",  "tracefs", "udf"});

constexpr auto local_types = std::to_array<std::string_view>(
    {"bcachefs", "btrfs",   "exfat", "ext2",     "ext3",     "ext4",  "f2fs", "iso9660", "jfs", "msdos", "nilfs2",
     "ntfs3",    "overlay", "ramfs", "reiserfs", "squashfs", "tmpfs", "udf",  "vfat",    "xfs", "zfs"});

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (const auto line : split(text, '\n')) {
    auto mount = parse_line(line);
    if (!mount) continue;
    std::erase_if(mounts, [&](const Mount& other) { return other.point == mount->point; });
    if (mounts.size() < most_mounts) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

bool is_real(const Mount& mount) { return !among(unreal_types, mount.type) && !mount.type.starts_with("fuse."); }

bool answers_at_once(const Mount& mount) { return among(local_types, mount.type); }

std::vector<Mount> real_mounts(std::vector<Mount> all) {
  std::erase_if(all, [](const Mount& mount) { return mount.point != "/" && !is_real(mount); });
  std::stable_sort(all.begin(), all.end(),
                   [](const Mount& a, const Mount& b) { return a.point.size() < b.point.size(); });
  std::vector<Mount> kept;
  for (Mount& mount : all) {
    const auto same = [&](const Mount& other) { return other.device == mount.device; };
    if (std::none_of(kept.begin(), kept.end(), same)) kept.push_back(std::move(mount));
  }
  return kept;
}

}  // namespace vitald::probes
