"""A real systemd, booted as process 1 of fresh namespaces on an overlay of this machine's root (systemd/boot.sh)."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from .waiting import wait_until

_BOOT = Path(__file__).resolve().parent / "systemd" / "boot.sh"


def _possible():
    """Why it cannot work here, or "". Namespaces and overlays are tried, not guessed."""
    if os.geteuid() != 0:
        return "it takes root to boot a systemd"
    if not os.access("/lib/systemd/systemd", os.X_OK):
        return "there is no /lib/systemd/systemd"
    trial = tempfile.mkdtemp(prefix="vitald-trial-")
    script = (f"mount -t tmpfs tmpfs {trial} && mkdir {trial}/u {trial}/w {trial}/r && mount -t overlay overlay "
              f"-o lowerdir=/,upperdir={trial}/u,workdir={trial}/w {trial}/r && mount -t cgroup2 cgroup2 {trial}/u")
    tried = subprocess.run(["unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--net", "--cgroup", "sh", "-c", script],
                           capture_output=True, text=True, check=False)
    os.rmdir(trial)
    return "" if tried.returncode == 0 else f"namespaces, overlays or cgroups are not to be had: {tried.stderr.strip()}"


class BootedSystemd:
    """Skips the test where the kernel or our rights do not allow it. `shared` is the folder seen as /mnt/shared inside."""

    def __init__(self):
        reason = _possible()
        if reason:
            raise unittest.SkipTest(reason)
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-systemd-"))
        self.shared = self.folder / "shared"
        self.shared.mkdir()
        self.log = self.folder / "boot.log"
        with self.log.open("wb") as log:
            self._starter = subprocess.Popen(["bash", str(_BOOT), str(self.folder), str(self.shared)],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self._booted, lambda: f"systemd to boot; it said:\n{self.log.read_text(errors='replace')}", 60)
        except BaseException:
            self.close()
            raise

    def _cgroup(self):
        file = self.folder / "cgroup"
        return Path(file.read_text(encoding="ascii").strip()) if file.exists() else None

    def _manager(self):
        """Process 1 inside, as seen from here: the process that systemd itself put into its init.scope."""
        cgroup = self._cgroup()
        members = cgroup / "init.scope" / "cgroup.procs" if cgroup else None
        if not members or not members.exists():
            return None
        for pid in members.read_text(encoding="ascii").split():
            try:
                if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "systemd":
                    return pid
            except OSError:
                continue
        return None

    def _booted(self):
        if self._starter.poll() is not None:
            raise AssertionError(f"systemd did not boot:\n{self.log.read_text(errors='replace')}")
        # is-system-running answers "starting" until the target is reached; "degraded" is fine for our purpose.
        return self._manager() and self.run("systemctl", "is-active", "vitald-test.target", check=False).returncode == 0

    def run(self, *command, check=True, deadline=60):
        """Runs a command inside; its text output. check: a failure is the test's failure."""
        enter = ["nsenter", "-t", str(self._manager()), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]
        plain = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", *map(str, command)]
        done = subprocess.run([*enter, *plain], capture_output=True, text=True, timeout=deadline, check=False,
                              stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def properties(self, unit, *names):
        text = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=False).stdout

    def close(self):
        """Asks systemd to end, then ends what is left; removes the cgroup."""
        if self._manager():
            self.run("systemctl", "exit", "0", check=False)
        try:
            self._starter.wait(15)
        except subprocess.TimeoutExpired:
            self._starter.kill()
            self._starter.wait()
        cgroup = self._cgroup()
        if cgroup and cgroup.exists():
            _remove_cgroup(cgroup)
        shutil.rmtree(self.folder, ignore_errors=True)


def _remove_cgroup(cgroup, patience=10):
    """Folders of a cgroup go from the leaves up, and only once the last process has been reaped."""
    end = time.monotonic() + patience
    while cgroup.exists() and time.monotonic() < end:
        for folder, _, _ in os.walk(cgroup, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                time.sleep(0.02)
