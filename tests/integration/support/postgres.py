"""A real PostgreSQL with a data folder, a Unix socket and a port of its own."""

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
from .waiting import wait_until

_SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 20
max_wal_senders = 4
wal_level = replica
log_destination = stderr
log_line_prefix = '%m [%p] %u@%d '
password_encryption = scram-sha-256
deadlock_timeout = 100ms
wal_retrieve_retry_interval = 100ms
"""
_ADMISSION = """
local all postgres trust
local all all scram-sha-256
local replication postgres trust
host replication postgres 127.0.0.1/32 trust
host all nobody_admits 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
"""
_templates = {}  # the owner's user id to a data folder that initdb made, copied for each server


def _programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise unittest.SkipTest("there is no PostgreSQL server")
    return found[-1].parent


class Postgres(Started):
    """`settings` are lines of postgresql.conf; `certificate` turns TLS on; `template` starts from another's data folder
    (made with base_backup). PostgreSQL refuses to run as root: then it runs as the user postgres."""

    def __init__(self, settings="", certificate=None, admission=_ADMISSION, template=None):
        self.programs = _programs()
        self._user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-postgres-"))
        self.sockets = self.folder / "sockets"
        self.sockets.mkdir()
        self.folder.chmod(0o755)
        self.sockets.chmod(0o755)
        self.port = free_port()
        self.data = self.folder / "data"
        self.log_file = self.folder / "server.log"
        self.process = None
        self._copy(template or self._template())
        text = _SETTINGS.format(port=self.port, sockets=self.sockets) + settings
        if certificate:
            for source, name in ((certificate.file, "server.crt"), (certificate.key, "server.key")):
                shutil.copy(source, self.data / name)
                (self.data / name).chmod(0o600)
            text += "\nssl = on\n"
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(text)
        (self.data / "pg_hba.conf").write_text(admission, encoding="utf-8")
        self._own(self.folder)

    @property
    def socket(self):
        return self.sockets / f".s.PGSQL.{self.port}"

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def as_owner(self):
        """What subprocess needs to start something as the server's own user."""
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def _own(self, path):
        if self._user:
            subprocess.run(["chown", "-R", f"{self._user.pw_uid}:{self._user.pw_gid}", str(path)], check=True)

    def _template(self):
        owner = os.geteuid()
        if owner not in _templates:
            folder = Path(tempfile.mkdtemp(prefix="vitald-initdb-"))
            atexit.register(shutil.rmtree, folder, True)
            self._own(folder)
            subprocess.run([self.programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust",
                            "--no-sync",
                            "--locale=C", "--encoding=UTF8"], check=True, capture_output=True, cwd=folder,
                            **self.as_owner())
            _templates[owner] = folder / "data"
        return _templates[owner]

    def _copy(self, template):
        shutil.copytree(template, self.data, symlinks=True)
        self.data.chmod(0o700)

    # Life

    def start(self, wait=True):
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen([self.programs / "postgres", "-D", self.data], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.folder, **self.as_owner())
        if wait:
            wait_until(self._answers, lambda: f"PostgreSQL to answer; it said:\n{self.log()}", 30)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended with {self.process.returncode}; it said:\n{self.log()}")
        return self.psql("SELECT 1", check=False).returncode == 0

    def stop(self, number=signal.SIGINT, deadline=20):
        """SIGINT ends all sessions (fast), SIGTERM waits for them, SIGQUIT leaves at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(deadline)

    def restart(self):
        self.stop()
        return self.start()

    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Questions, all as the superuser over the socket

    def _psql(self, database="postgres"):
        return [str(self.programs / "psql"), "-h", str(self.sockets), "-p", str(self.port), "-U", "postgres", "-d",
                database,
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]

    def psql(self, *statements, database="postgres", check=True):
        done = subprocess.run([*self._psql(database), *(word for each in statements for word in ("-c", each))],
                              capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(f"{statements} failed: {done.stderr}{self.log()}")
        return done

    def value(self, statement, database="postgres"):
        return self.psql(statement, database=database).stdout.strip()

    def session(self, *statements, database="postgres", name="psql"):
        """A session that stays, with these statements begun."""
        return Session(self._psql(database), name).say(*statements)

    def base_backup(self, settings=""):
        """A standby of this server, not started yet."""
        folder = Path(tempfile.mkdtemp(prefix="vitald-backup-"))
        try:
            self._own(folder)
            subprocess.run([self.programs / "pg_basebackup", "-h", self.sockets, "-p", str(self.port), "-U", "postgres",
                            "-D", folder / "data", "-c", "fast", "--no-sync"], check=True, capture_output=True,
                            cwd=folder,
                           **self.as_owner())
            standby = Postgres(settings, template=folder / "data")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        (standby.data / "standby.signal").touch()
        standby._own(standby.data)
        return standby


class Session(Closed):
    """psql at the other end of a pipe."""

    def __init__(self, command, name):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PGAPPNAME": name})

    def say(self, *statements):
        for each in statements:
            self.process.stdin.write(each + ";\n")
        self.process.stdin.flush()
        return self

    def close(self):
        """Ends psql; a statement that runs is left to the server, which notices."""
        self.process.kill()
        self.process.stdin.close()
        self.process.wait()
