"""Real MariaDB servers: each with a folder, a Unix socket and a TCP port of its own."""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from .lifetime import Closed, Started
from .network import free_port
from .report import run_alone
from .waiting import wait_until

# Of the accounts that the tests make.
PASSWORD = "a secret word"
STATUS_GRANTS = ("PROCESS ON *.*", "SLAVE MONITOR ON *.*")

_PLACES = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
# What makes a start quick and a data folder small.
_SMALL = ["--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--innodb-log-buffer-size=1M",
          "--key-buffer-size=1M", "--aria-pagecache-buffer-size=1M", "--innodb-flush-log-at-trx-commit=0",
          "--skip-name-resolve", "--performance-schema=OFF", "--innodb-fast-shutdown=3",
          "--innodb-buffer-pool-dump-at-shutdown=OFF", "--innodb-buffer-pool-load-at-startup=OFF"]

_template = None


def _program(name):
    found = shutil.which(name, path=_PLACES)
    if not found:
        raise unittest.SkipTest(f"there is no {name}: apt-get install mariadb-server")
    return found


def _user():
    return pwd.getpwuid(os.geteuid()).pw_name


def _template_data():
    """A data folder as mariadb-install-db makes it: made once for each test process, since that takes seconds."""
    global _template
    if _template is None:
        folder = Path(tempfile.mkdtemp(prefix="vitald-mariadb-data-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        made = subprocess.run([_program("mariadb-install-db"), "--no-defaults", f"--datadir={folder}/data",
                               "--auth-root-authentication-method=normal", "--skip-test-db", f"--user={_user()}",
                               *_SMALL], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                              check=False)
        if made.returncode:
            raise AssertionError(f"mariadb-install-db failed: {made.stdout}{made.stderr}")
        _template = folder / "data"
    return _template


class MariaDb(Started):
    """`options` are further options of mariadbd; `certificate` turns TLS on. Root has no password on the Unix socket."""

    def __init__(self, *options, certificate=None, port=None):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-mariadb-"))
        self.socket = self.folder / "mysql.sock"
        self.port = port or free_port()
        self.options = list(options)
        self.certificate = certificate
        self.process = None
        shutil.copytree(_template_data(), self.folder / "data")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, *options):
        assert self.process is None or self.process.poll() is not None, "it runs already"
        tls = ["--skip-ssl"]
        if self.certificate:
            tls = [f"--ssl-cert={self.certificate.file}", f"--ssl-key={self.certificate.key}"]
        command = [_program("mariadbd"), "--no-defaults", f"--datadir={self.folder}/data", f"--user={_user()}",
                   f"--socket={self.socket}", "--bind-address=127.0.0.1", f"--port={self.port}",
                   f"--pid-file={self.folder}/pid", f"--tmpdir={self.folder}", *_SMALL, *tls, *self.options, *options]
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(self._answers, lambda: f"mariadbd to answer; it said:\n{self.log()}", 60)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"mariadbd ended with {self.process.returncode}; it said:\n{self.log()}")
        return self.socket.exists() and self._client("SELECT 1").returncode == 0

    def _client(self, statements, database="mysql"):
        command = [_program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch",
                   "--skip-column-names", database]
        return subprocess.run(command, input=statements, capture_output=True, text=True, timeout=60, check=False)

    def sql(self, statements, database="mysql"):
        """Runs them as root over the Unix socket; what they print, without the names of the columns."""
        done = self._client(statements, database)
        if done.returncode:
            raise AssertionError(f"{statements}\nfailed: {done.stderr}")
        return done.stdout

    def session(self, database="mysql"):
        """A second client that stays connected, for locks and slow statements."""
        return MariaDbSession(self, database)

    def user(self, name, password=PASSWORD, *grants, host="%"):
        """A new account; `grants` such as 'SELECT ON shop.*'."""
        account = f"'{name}'@'{host}'"
        given = "".join(f"GRANT {grant} TO {account};" for grant in grants)
        self.sql(f"CREATE USER {account} IDENTIFIED BY '{password}'; {given}")

    def stop(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(60)

    def log(self):
        file = self.folder / "output.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def close(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class MariaDbSession(Closed):
    """Statements one after the other on one connection, through the client's standard input."""

    def __init__(self, server, database):
        command = [_program("mariadb"), "--no-defaults", f"--socket={server.socket}", "--user=root", "--batch",
                   "--skip-column-names", "--unbuffered", database]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def begin(self, statements):
        """Sends them and does not wait."""
        self.process.stdin.write(statements + "\n")
        self.process.stdin.flush()

    def run(self, statements):
        """Sends them, and waits until the last of them is done."""
        self.begin(statements + "; SELECT 'done with it';")
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"the client ended at {statements}")
            if line.strip() == "done with it":
                return

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass


def probe(check, **how):
    """What one run of a mysql check on its own finds."""
    return run_alone({"probe": "mysql", "user": "monitor", "password": PASSWORD, **check}, PASSWORD, **how)[0]


def evidence(report, label):
    return next((each["text"] for each in report["evidence"] if each["label"] == label), None)
