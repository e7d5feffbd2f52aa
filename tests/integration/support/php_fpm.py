"""A real php-fpm with one pool: a configuration, a folder and a socket or port of its own."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

from .lifetime import Started
from .waiting import wait_until

_BUSY = "<?php touch($_SERVER['BEGUN']); do { clearstatcache(); usleep(10000); } while (!file_exists($_SERVER['RELEASE']));"


def _record(kind, content):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def php_fpm_program():
    """Debian calls it php-fpm8.2. Skips the test where there is none."""
    folders = [Path(folder) for folder in ("/usr/sbin", "/usr/local/sbin")]
    found = sorted(file for folder in folders if folder.is_dir() for file in folder.glob("php-fpm*"))
    if not found:
        raise unittest.SkipTest("there is no php-fpm; tools/packages names it")
    return str(found[-1])


class PhpFpm(Started):
    """One static pool of `children` on a Unix socket, or on TCP where there is a `port`. Further settings are lines of the
    pool's file: PhpFpm(settings={"pm.status_path": "/status"})."""

    def __init__(self, *, children=3, port=None, settings=None):
        self.program = php_fpm_program()
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-fpm-"))
        self.folder.chmod(0o755)
        self.socket = str(self.folder / "pool.sock")
        self.port = port
        self.process = None
        self._clients = []
        self._release = self.folder / "release"
        self.busy_script = self.folder / "busy.php"
        self.busy_script.write_text(_BUSY, encoding="utf-8")
        self.settings = {"listen": f"127.0.0.1:{port}" if port else self.socket, "listen.mode": "0666", "pm": "static",
                         "pm.max_children": children, "pm.status_path": "/status", "catch_workers_output": "yes"}
        if os.geteuid() == 0:
            self.settings |= {"user": "root", "group": "root"}
        self.settings |= settings or {}

    def start(self):
        pool = "".join(f"{name} = {value}\n" for name, value in self.settings.items() if value is not None)
        head = f"[global]\npid = {self.folder}/pid\nerror_log = {self.folder}/error.log\ndaemonize = no\n[shop]\n"
        (self.folder / "fpm.conf").write_text(head + pool, encoding="utf-8")
        with (self.folder / "output.log").open("ab") as output:
            # A session of its own: what is left of it can be ended by its group.
            self.process = subprocess.Popen([self.program, "-R", "-F", "-n", "-y", str(self.folder / "fpm.conf")],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        wait_until(self._ready, lambda: f"php-fpm to be ready; it said:\n{self.log()}", 20)
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"php-fpm ended with {self.process.returncode}; it said:\n{self.log()}")
        return "ready to handle connections" in self.log()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def kill(self):
        """Master and workers at once, as the OOM killer might: the socket stays where it is."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
            wait_until(lambda: not self._listens(), "the workers of php-fpm to be gone")

    def _listens(self):
        family, address = (socket.AF_INET, ("127.0.0.1", self.port)) if self.port else (socket.AF_UNIX, self.socket)
        with socket.socket(family) as client:
            return client.connect_ex(address) == 0

    # Work

    def begin_requests(self, count):
        """So many workers are busy when it returns, until release()."""
        first = len(self._clients)
        begun = [self.folder / f"begun-{number}" for number in range(first, first + count)]
        for file in begun:
            self._clients.append(self._request({"BEGUN": str(file), "RELEASE": str(self._release)}))
        wait_until(lambda: all(file.exists() for file in begun), lambda: f"workers to be busy:\n{self.log()}")

    def release(self):
        """They end, and their clients see it."""
        self._release.touch()
        for client in self._clients:
            client.settimeout(20)
            while client.recv(65536):
                pass
            client.close()
        self._clients.clear()

    def _request(self, more):
        """A FastCGI request for the script that takes until release(); the connection."""
        params = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/export?token=s3cret", "SCRIPT_NAME": "/busy.php",
                  "SCRIPT_FILENAME": str(self.busy_script), "QUERY_STRING": "token=s3cret", **more}
        pairs = b"".join(bytes([len(name), len(value)]) + name.encode() + value.encode() for name, value in params.items())
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.socket)
        client.sendall(_record(1, struct.pack(">HB5x", 1, 0)) + _record(4, pairs) + _record(4, b"") + _record(5, b""))
        return client

    def log(self):
        files = (self.folder / "output.log", self.folder / "error.log")
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files if file.exists())

    def close(self):
        self.kill()
        for client in self._clients:
            client.close()
        shutil.rmtree(self.folder, ignore_errors=True)
