#include "probes/mounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> points(const std::vector<Mount>& mounts) {
  std::vector<std::string> names;
  for (const Mount& mount : mounts) names.push_back(mount.point);
  return names;
}

TEST(Mountinfo, ReadsFieldsAroundOptionalOnes) {
  const auto mounts = parse_mountinfo(
      "27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard\n"
      "40 27 0:44 / /srv/my\\040data rw - nfs4 server:/export rw,vers=4.2\n");
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0].type, "ext4");
  EXPECT_EQ(mounts[0].device, "254:0");
  EXPECT_EQ(mounts[1].point, "/srv/my data");
  EXPECT_EQ(mounts[1].type, "nfs4");
}

TEST(Mountinfo, LeavesOutLinesThatMakeNoSense) {
  EXPECT_THAT(parse_mountinfo(""), IsEmpty());
  EXPECT_THAT(parse_mountinfo("garbage\n1 2 3 4 - x\n27 1 254:0 / / rw -\n\n"), IsEmpty());
  EXPECT_THAT(points(parse_mountinfo("27 1 254:0 / /a\\04 rw - ext4 /dev/vda rw")), ElementsAre("/a\\04"));
}

TEST(Mountinfo, ReadOnlyMeansTheFileSystemNotOneViewOfIt) {
  const auto mounts = parse_mountinfo(
      "1 0 1:1 / /sandboxed ro,relatime - ext4 /dev/a rw\n"
      "2 0 1:2 / /broken rw,relatime - ext4 /dev/b ro,errors=remount-ro\n"
      "3 0 1:3 / /stopped rw,relatime - ext4 /dev/c rw,emergency_ro\n");
  EXPECT_FALSE(mounts.at(0).read_only);
  EXPECT_TRUE(mounts.at(1).read_only);
  EXPECT_TRUE(mounts.at(2).read_only);
}

TEST(Mountinfo, TheLastMountOfAPointHidesThoseUnderIt) {
  const auto mounts = parse_mountinfo("1 0 1:1 / /data rw - ext4 /dev/a rw\n2 0 1:2 / /data rw - xfs /dev/b rw\n");
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].type, "xfs");
}

TEST(RealMounts, LeaveOutKernelInterfacesImagesAndFrontEnds) {
  const auto all = parse_mountinfo(
      "1 0 0:21 / /proc rw - proc proc rw\n2 0 0:22 / /run rw - tmpfs tmpfs rw\n3 0 7:0 / /snap/core ro - squashfs "
      "/dev/loop0 ro\n"
      "4 0 0:50 / /run/user/0/gvfs rw - fuse.gvfsd-fuse gvfsd rw\n5 0 254:0 / / rw - ext4 /dev/vda rw\n"
      "6 0 0:51 / /nfs rw - nfs4 a:/b rw\n");
  EXPECT_THAT(points(real_mounts(all)), ElementsAre("/", "/nfs"));
}

TEST(RealMounts, NameEachFileSystemOnceByItsShortestPath) {
  const auto all =
      parse_mountinfo("1 0 254:0 /x /var/lib/bind rw - ext4 /dev/vda rw\n2 0 254:0 / / rw - ext4 /dev/vda rw\n");
  EXPECT_THAT(points(real_mounts(all)), ElementsAre("/"));
}

TEST(RealMounts, KeepARootOfAnyType) {
  EXPECT_THAT(points(real_mounts(parse_mountinfo("1 0 0:9 / / rw - overlay overlay rw\n"))), ElementsAre("/"));
}

TEST(Mounts, OnlyKnownLocalTypesAreAskedDirectly) {
  for (const auto* type : {"ext4", "xfs", "btrfs", "tmpfs", "zfs"})
    EXPECT_TRUE(answers_at_once({.type = type})) << type;
  for (const auto* type : {"nfs", "nfs4", "cifs", "fuse.sshfs", "fuseblk", "ceph", "9p", "newfs"}) {
    EXPECT_FALSE(answers_at_once({.type = type})) << type;
  }
}

}  // namespace
}  // namespace vitald::probes
