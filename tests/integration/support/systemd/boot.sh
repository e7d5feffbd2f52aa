#!/usr/bin/env bash
# Boots this machine's own systemd as process 1 of fresh namespaces: boot.sh FOLDER SHARED
# The root is an overlay over the host's, so that nothing outside FOLDER changes; SHARED appears as /mnt/shared. Needs root.
# The caller ends it by killing this process: everything inside dies with it.
set -eu
folder=$1
shared=$2

if [ "${3:-}" != inside ]; then
  # A cgroup of our own becomes the root that systemd sees.
  tree=/sys/fs/cgroup
  [ -e "$tree/cgroup.controllers" ] || tree=/sys/fs/cgroup/unified
  cgroup=$tree/vitald-test-$$
  mkdir "$cgroup"
  echo "$cgroup" >"$folder/cgroup"
  echo $$ >"$cgroup/cgroup.procs"
  exec unshare --fork --pid --mount --uts --ipc --net --cgroup --propagation private --kill-child=SIGKILL \
    bash "$0" "$folder" "$shared" inside
fi

layer=$folder/layer
root=$folder/root
mkdir -p "$layer" "$root"
mount -t tmpfs -o size=1g,mode=755 tmpfs "$layer"
mkdir "$layer/upper" "$layer/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layer/upper,workdir=$layer/work" "$root"

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys" # a global setting of the kernel must not change
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root/run/lock" "$root/mnt/shared"
mount --bind "$shared" "$root/mnt/shared"

# Nothing of the distribution's that touches hardware, time or the boot loader, and no timers.
: >"$root/etc/machine-id"
: >"$root/etc/fstab"
units=$root/etc/systemd/system
for name in modules-load sysctl udevd udev-trigger udev-settle random-seed boot-random-seed hwdb-update timesyncd resolved \
  networkd binfmt remount-fs update-utmp machine-id-commit pstore rfkill; do
  ln -sfn /dev/null "$units/systemd-$name.service"
done
for unit in systemd-udevd-kernel.socket systemd-udevd-control.socket dev-hugepages.mount dev-mqueue.mount \
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
  proc-sys-fs-binfmt_misc.automount apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer fstrim.timer \
  dpkg-db-backup.timer logrotate.timer phpsessionclean.timer; do
  ln -sfn /dev/null "$units/$unit"
done
cat >"$units/vitald-test.target" <<'EOT'
[Unit]
Requires=basic.target
Wants=systemd-journald.service dbus.socket
After=basic.target
AllowIsolate=yes
EOT

hostname vitald-test
cd "$root"
mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
mount --make-rshared / # with private propagation the folders of LoadCredential= stay empty
ip link set lo up
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=vitald-test TERM=dumb \
  /lib/systemd/systemd --system --unit=vitald-test.target
