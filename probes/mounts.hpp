// The mounts of this host as the kernel lists them in /proc/self/mountinfo (proc(5)). Reading the list never blocks,
// even where a mount is dead.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vitald::probes {

struct Mount {
  std::string point;   // unescaped
  std::string type;    // "ext4", "nfs4", "fuse.sshfs"
  std::string device;  // "254:0"; the same for every mount of one file system
  /// The file system itself was mounted or remounted read-only. A mount point that is read-only only for some (a bind
  /// mount, systemd's ProtectSystem= around vitald itself) does not count.
  bool read_only = false;
};

/// In the kernel's order, but each mount point once: the last one hides those under it. Lines that make no sense are
/// left out.
std::vector<Mount> parse_mountinfo(std::string_view text);

/// Kernel interfaces, images that are read-only by design and FUSE front ends: nothing there fills up in a way that
/// anybody wants to hear of, unless a check names the mount.
bool is_real(const Mount& mount);

/// statvfs(2) of these answers from memory. Of all others (network, FUSE, unknown) it may hang for ever.
bool answers_at_once(const Mount& mount);

/// The real mounts, each file system once (bind mounts and subvolumes: the shortest path), and always `/`.
std::vector<Mount> real_mounts(std::vector<Mount> all);

}  // namespace vitald::probes
