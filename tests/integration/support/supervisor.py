"""A real supervisord with a configuration, a Unix socket and an address of its own."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from .lifetime import Started
from .network import accepts, free_port
from .waiting import wait_until

_HEAD = """
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
user={user}
[unix_http_server]
file={folder}/supervisor.sock
chmod=0700
{login}
[inet_http_server]
port=127.0.0.1:{port}
{login}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/supervisor.sock
{login}
"""


class Supervisor(Started):
    """Programs are keywords: the command, or a dictionary of settings. `login` is user and password."""

    def __init__(self, login=None, **programs):
        self._program = shutil.which("supervisord")
        if not self._program:
            raise unittest.SkipTest("there is no supervisord: apt-get install supervisor")
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-supervisor-"))
        self.socket = self.folder / "supervisor.sock"
        self.port = free_port()
        self.file = self.folder / "supervisord.conf"
        words = f"username={login[0]}\npassword={login[1]}" if login else ""
        text = _HEAD.format(folder=self.folder, port=self.port, login=words, user="root" if os.geteuid() == 0 else "")
        for name, settings in programs.items():
            settings = settings if isinstance(settings, dict) else {"command": settings}
            lines = "".join(f"{key}={value}\n" for key, value in settings.items())
            text += f"[program:{name.replace('_', '-')}]\n{lines}"
        self.file.write_text(text.replace("user=\n", ""), encoding="utf-8")
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen([self._program, "-c", str(self.file)], stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, cwd=self.folder)
        wait_until(lambda: self._alive() and self.socket.exists() and accepts(self.port),
                   lambda: f"supervisord to listen; it said:\n{self.log()}", 30)
        return self

    def _alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"supervisord ended with {self.process.returncode}; it said:\n{self.log()}")
        return True

    def log(self):
        return (self.folder / "output.log").read_text(encoding="utf-8", errors="replace")

    def ctl(self, *words):
        """What `supervisorctl WORDS` prints; its exit status says how the programs are."""
        done = subprocess.run(["supervisorctl", "-c", str(self.file), *map(str, words)], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL, check=False)
        return done.stdout

    def states(self):
        """{"worker:worker_00": "RUNNING"}."""
        return {line.split()[0]: line.split()[1] for line in self.ctl("status").splitlines() if len(line.split()) > 1}

    def wait_for(self, name, state):
        wait_until(lambda: self.states().get(name) == state, lambda: f"{name} to be {state}: {self.states()}", 30)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """Ends it, and it its programs; those of one that was killed are ended by their ids."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self._end_orphans()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_orphans(self):
        """Programs run in our folder."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if Path(os.readlink(entry / "cwd")).is_relative_to(self.folder):
                    os.kill(int(entry.name), 9)
            except OSError:
                continue
