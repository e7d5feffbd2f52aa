"""vitald as a child process with a configuration, a state and a runtime folder of its own."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import yaml

from .lifetime import Started
from .network import free_port
from .paths import vitald_binary
from .waiting import wait_until


class Refused(AssertionError):
    """The daemon ended instead of becoming ready; the text is what it said."""


class Daemon(Started):
    """Use as a context manager, or call start() and close().

    `checks` and further top-level keys are the configuration as Python values; `text` is one as written instead, in
    which {port}, {state} and {runtime} are filled in. `wrapper` is put in front of the command (strace); `folder`
    keeps state beyond this object (a second daemon on the same state).
    """

    def __init__(self, checks=None, *, text=None, binary=None, wrapper=(), environment=None, folder=None, **keys):
        self.binary = Path(binary) if binary else vitald_binary()
        self.wrapper = [str(word) for word in wrapper]
        self.environment = environment or {}
        self.port = free_port()
        self._own_folder = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="vitald-test-"))
        self.state = self.folder / "state"
        self.runtime = self.folder / "run"
        self.file = self.folder / "vitald.yaml"
        self.log_file = self.folder / "vitald.log"
        for each in (self.state, self.runtime):
            each.mkdir(exist_ok=True, mode=0o700)
        self.process = None
        if text is None:
            self.configure(checks, **keys)
        else:
            self.write(text.format(port=self.port, state=self.state, runtime=self.runtime))

    # Configuration

    def configure(self, checks, **keys):
        """Writes the configuration; a running daemon takes it with reload()."""
        document = {"instance": "test-host", "listen": {"http": f"127.0.0.1:{self.port}"}, "state": str(self.state),
                    "runtime": str(self.runtime), **keys, "checks": checks or {}}
        self.write(yaml.safe_dump(document, sort_keys=False))

    def write(self, text):
        """Replaces the file as a careful editor does: at once."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.rename(self.file)

    # Life

    def start(self, wait=True, deadline=20):
        assert self.process is None or self.process.poll() is not None, "it runs already"
        command = [*self.wrapper, str(self.binary), "run", "--config", str(self.file)]
        environment = {**os.environ, **self.environment}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, cwd=self.folder)
        if wait:
            wait_until(self._is_ready, lambda: f"the daemon to become ready; it said:\n{self.log()}", deadline)
        return self

    def _is_ready(self):
        if self.process.poll() is not None:
            raise Refused(f"the daemon ended with {self.process.returncode}; it said:\n{self.log()}")
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        self.signal(signal.SIGHUP)

    def stop(self, deadline=20):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait(deadline)

    def kill(self):
        """SIGKILL, as the kernel or an operator would."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def wait(self, deadline=20):
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the daemon did not end within {deadline} s; it said:\n{self.log()}") from None

    def close(self):
        if self.process is not None:
            self.kill()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # Questions

    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def command(self, *words, deadline=30, config=True):
        """Runs `vitald WORDS --config FILE`; stdout, stderr and returncode as text and number."""
        command = [str(self.binary), *words, *(["--config", str(self.file)] if config else [])]
        return subprocess.run(command, capture_output=True, text=True, timeout=deadline, check=False,
                              env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL)

    def request(self, method, path, headers=None, body=None, deadline=10):
        """Status, body as text and headers of one request to the daemon's own listener."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=deadline)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read().decode("utf-8"), dict(reply.getheaders())
        finally:
            connection.close()

    def get(self, path, deadline=10):
        status, body, _ = self.request("GET", path, deadline=deadline)
        return status, body

    def json(self, path):
        status, body = self.get(path)
        assert status == 200, f"{path} answered {status}: {body}"
        return json.loads(body)

    def metrics(self):
        """Every series of /metrics as {'name{label="value"}': number}."""
        status, body = self.get("/metrics")
        assert status == 200, f"/metrics answered {status}: {body}"
        lines = [line.rsplit(" ", 1) for line in body.splitlines() if line and not line.startswith("#")]
        return {series: float(value) for series, value in lines}
