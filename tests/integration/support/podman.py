"""A real container engine that speaks Docker's API: podman with an image made here, in namespaces of its own.

The host's network, control groups and process tree are never touched: containers have no network, no control groups, a
storage in a temporary folder, and a process namespace that ends with close(), whatever ran in it.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from .lifetime import Started
from .waiting import wait_until

_IMAGE = "localhost/tiny:1"
_STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n'
_CONTAINERS = """[containers]
cgroups = "disabled"
netns = "none"
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
tmp_dir = "{folder}/tmp"
"""
# The first process of the namespaces: it reaps what the containers leave. crun wants one plain cgroup2 file system.
_INIT = """umount -R -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && mount -t tmpfs tmpfs /run || exit 97
podman import {folder}/image.tar {image} || exit 98
podman system service -t 0 unix://{socket}
"""


class Podman(Started):
    """The API's Unix socket is `socket`. Skips the test, and says why, where no such namespaces or engine can be had."""

    def __init__(self):
        missing = [program for program in ("podman", "crun", "conmon", "unshare", "nsenter") if shutil.which(program) is None]
        if missing or not os.access("/bin/busybox", os.X_OK):
            raise unittest.SkipTest(f"no container engine: {', '.join(missing) or 'busybox'} is missing")
        if os.geteuid() != 0:
            raise unittest.SkipTest("no container engine: only root can make its namespaces")
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-podman-"))
        self.socket = str(self.folder / "engine.sock")
        self.process = None
        self._environment = {**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf"), "HOME": str(self.folder / "tmp"),
                             "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"), "TMPDIR": str(self.folder / "tmp")}

    def start(self):
        for each in ("root", "run", "tmp", "image/bin"):
            (self.folder / each).mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/busybox", self.folder / "image/bin/busybox")
        for applet in ("sh", "sleep", "cat", "echo", "touch"):
            (self.folder / "image/bin" / applet).symlink_to("busybox")
        subprocess.run(["tar", "-C", self.folder / "image", "-cf", self.folder / "image.tar", "."], check=True)
        (self.folder / "storage.conf").write_text(_STORAGE.format(folder=self.folder), encoding="utf-8")
        (self.folder / "containers.conf").write_text(_CONTAINERS.format(folder=self.folder), encoding="utf-8")
        init = _INIT.format(folder=self.folder, image=_IMAGE, socket=self.socket)
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen(["unshare", "--mount", "--cgroup", "--net", "--pid", "--ipc", "--uts", "--fork",
                                             "--kill-child", "--mount-proc", "--propagation", "private", "sh", "-c", init],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment)
        wait_until(self._ready, lambda: f"podman to be ready; it said:\n{self.log()}", 60)
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise unittest.SkipTest(f"podman does not run here ({self.process.returncode}): {self.log()[-300:]}")
        try:
            return self.request("GET", "/_ping")[0] == 200
        except OSError:
            return False

    # Containers

    def run(self, name, *command, service=None, project="shop", **more):
        """Creates and starts one. `more` goes into the API's request: Tty, Healthcheck, HostConfig."""
        labels = {"com.docker.compose.project": project, "com.docker.compose.service": service,
                  "com.docker.compose.oneoff": "False"} if service else {}
        host = {"NetworkMode": "none", **more.pop("HostConfig", {})}
        self.must("POST", f"/containers/create?name={name}",
                  {"Image": _IMAGE, "Cmd": list(command), "Labels": {**labels, **more.pop("Labels", {})}, "HostConfig": host, **more})
        self.must("POST", f"/containers/{name}/start")

    def state(self, name):
        status, body = self.request("GET", f"/containers/{name}/json")
        return json.loads(body)["State"] if status == 200 else None

    def wait_for(self, name, state):
        wait_until(lambda: self.state(name)["Status"] == state, lambda: f"{name} to be {state}: {self.state(name)}", 30)

    def kill(self, name):
        self.must("POST", f"/containers/{name}/kill?signal=KILL")
        self.wait_for(name, "exited")

    def remove(self, name):
        self.must("DELETE", f"/containers/{name}?force=1")

    def check_health(self, name):
        """Runs its health check once; without systemd nobody else does."""
        init = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii").split()[0]
        subprocess.run(["nsenter", "--target", init, "--all", "podman", "healthcheck", "run", name], env=self._environment,
                       stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)

    # The API

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("engine", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.connect(self.socket)
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def must(self, method, path, body=None):
        status, said = self.request(method, path, body)
        if status >= 300:
            raise AssertionError(f"{method} {path} was answered {status}: {said}\n{self.log()}")
        return said

    def log(self):
        file = self.folder / "output.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def stop(self):
        """The engine and all that it runs, at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)
            wait_until(lambda: not self._listens(), "the engine to be gone")

    def _listens(self):
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(self.socket) == 0

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
