"""A real redis-server with a configuration, a folder and ports of its own."""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .lifetime import Started
from .network import accepts, free_port
from .waiting import wait_until


def _limit_files(size):
    """In the child: a file that grows beyond `size` bytes cannot be written, as on a full disk; also for root."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Redis(Started):
    """TCP on `port`, a Unix socket, and TLS on `tls_port` where there is a `certificate` (with the `authority` that made
    it). Further settings are lines of redis.conf as keywords: Redis(maxmemory="1mb", replica_serve_stale_data="no").

    `password` is the default user's; `replica_of` another Redis, or a port where nobody listens.
    """

    def __init__(self, *, password=None, certificate=None, authority=None, replica_of=None, file_size=None, **settings):
        self.program = shutil.which("redis-server", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-redis-"))
        self.port = free_port()
        self.tls_port = free_port() if certificate else None
        self.socket = str(self.folder / "redis.sock")
        self.password = password
        self.file_size = file_size
        self.process = None
        self.settings = {"port": self.port, "bind": "127.0.0.1", "unixsocket": self.socket, "dir": self.folder,
                         "save": '""', "enable-debug-command": "yes"}
        if password:
            self.settings |= {"requirepass": f'"{password}"', "masterauth": f'"{password}"'}
        if certificate:
            self.settings |= {"tls-port": self.tls_port, "tls-cert-file": certificate.file, "tls-key-file": certificate.key,
                              "tls-ca-cert-file": authority.file, "tls-auth-clients": "no"}
        if replica_of is not None:
            port = replica_of.port if isinstance(replica_of, Redis) else replica_of
            self.settings |= {"replicaof": f"127.0.0.1 {port}", "repl-diskless-sync-delay": 0}
        self.settings |= {name.replace("_", "-"): value for name, value in settings.items()}

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def tls_address(self):
        return f"127.0.0.1:{self.tls_port}"

    # Life

    def start(self, wait=True):
        """Waits until it answers, or with wait=False only until it accepts connections: it may still be loading."""
        text = "".join(f"{name} {value}\n" for name, value in self.settings.items())
        (self.folder / "redis.conf").write_text(text, encoding="utf-8")
        before = (lambda: _limit_files(self.file_size)) if self.file_size else None
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen([self.program, str(self.folder / "redis.conf")], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, cwd=self.folder, preexec_fn=before)
        ready = self._answers if wait else self._listens
        wait_until(ready, lambda: f"redis-server to be ready; it said:\n{self.log()}", 20)
        return self

    def _alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"redis-server ended with {self.process.returncode}; it said:\n{self.log()}")
        return True

    def _listens(self):
        return self._alive() and all(accepts(port) for port in (self.port, self.tls_port) if port)

    def _answers(self):
        if not self._listens():
            return False
        said = self.run("PING")
        return said == "PONG" or said.startswith("MASTERDOWN")

    def stop(self):
        """SIGTERM; saves where the settings say so."""
        if self.process is not None and self.process.poll() is None:
            self.resume()
            self.process.terminate()
            self.process.wait(20)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)

    def pause(self):
        """Connections are taken by the kernel, and nobody answers."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Questions

    def run(self, *words, deadline=20):
        """One command over the Unix socket, as the default user; what redis-cli prints, errors too."""
        environment = {**os.environ, **({"REDISCLI_AUTH": self.password} if self.password else {})}
        done = subprocess.run(["redis-cli", "-s", self.socket, *map(str, words)], capture_output=True, text=True,
                              timeout=deadline, check=False, env=environment, stdin=subprocess.DEVNULL)
        return done.stdout.strip() or done.stderr.strip()

    def must(self, *words):
        """The same for commands that answer OK."""
        said = self.run(*words)
        if said != "OK":
            raise AssertionError(f"redis answered {said!r} to {' '.join(map(str, words))}")

    def fill(self, keys, size=100):
        """So many keys of so many bytes."""
        script = "for i = 1, tonumber(ARGV[1]) do redis.call('SET', 'filler:' .. i, string.rep('x', tonumber(ARGV[2]))) end"
        self.run("EVAL", script, 0, keys, size)

    def info(self):
        """INFO as a dictionary."""
        lines = [line for line in self.run("INFO").splitlines() if ":" in line and not line.startswith("#")]
        return dict(line.split(":", 1) for line in lines)

    def log(self):
        file = self.folder / "output.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
