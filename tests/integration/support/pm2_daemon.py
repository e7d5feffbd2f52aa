"""A real pm2 from npm: its daemon as our child, with a PM2_HOME and apps of its own."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from .lifetime import Started
from .paths import repository
from .waiting import wait_until

_PINNED = Path(__file__).resolve().parent / "pm2"


def installed():
    """The folder of pm2's package: npm ci of the committed lock file, once for each of its versions. Skips the test
    where npm cannot deliver it."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise unittest.SkipTest("there is no node or no npm: apt-get install nodejs npm")
    stamp = (_PINNED / "package-lock.json").read_text(encoding="utf-8")
    folder = repository / "build" / "npm-pm2"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run two at a time
        done = folder / "installed"
        if not done.exists() or done.read_text(encoding="utf-8") != stamp:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_PINNED / name, folder / name)
            try:
                made = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, text=True,
                                      capture_output=True, timeout=240, stdin=subprocess.DEVNULL, check=False)
            except subprocess.TimeoutExpired:
                raise unittest.SkipTest("npm did not deliver pm2 within four minutes") from None
            if made.returncode:
                raise unittest.SkipTest(f"npm could not deliver pm2: {made.stderr.strip()[-300:]}")
            done.write_text(stamp, encoding="utf-8")
    return folder / "node_modules" / "pm2"


class Pm2(Started):
    """`secret` stands in the environment of every app, as passwords do."""

    def __init__(self, secret="the apps' own secret"):
        self._package = installed()
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-pm2-"))
        self.home = self.folder / "home"
        self.home.mkdir()
        self.socket = self.home / "rpc.sock"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PM2_HOME": str(self.home),
                             "DB_PASSWORD": secret, "PM2_DISCRETE_MODE": "true"}
        self.process = None

    def start(self):
        """The daemon as `pm2` itself starts it, but as our child."""
        with (self.folder / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(["node", str(self._package / "lib" / "Daemon.js")], cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        wait_until(lambda: self._alive() and self.socket.exists() and (self.home / "pm2.pid").exists(),
                   lambda: f"pm2 to listen; it said:\n{self.log()}", 60)
        return self

    def _alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"pm2 ended with {self.process.returncode}; it said:\n{self.log()}")
        return True

    def log(self):
        return (self.folder / "daemon.log").read_text(encoding="utf-8", errors="replace")

    def command_line(self, *words):
        return ["node", str(self._package / "bin" / "pm2"), *map(str, words)]

    def command(self, *words):
        """What `pm2 WORDS` prints."""
        done = subprocess.run(self.command_line(*words), cwd=self.folder, text=True, env=self.environment,
                              capture_output=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise AssertionError(f"pm2 {words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def run_apps(self, **apps):
        """Starts apps: name=(source, options of the ecosystem file)."""
        described = []
        for name, (source, options) in apps.items():
            script = self.folder / f"{name}.js"
            script.write_text(source, encoding="utf-8")
            described.append({"name": name, "script": str(script), **options})
        file = self.folder / "apps.json"
        file.write_text(json.dumps({"apps": described}), encoding="utf-8")
        self.command("start", file)

    def list(self):
        """`pm2 jlist`; only ever of a daemon that runs, since it would start one."""
        self._alive()
        return json.loads(self.command("jlist").splitlines()[-1])

    def states(self, name):
        return [row["pm2_env"]["status"] for row in self.list() if row["name"] == name]

    def restarts(self):
        return {row["pm_id"]: row["pm2_env"]["restart_time"] for row in self.list()}

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """In order: the daemon ends its apps and takes away its sockets."""
        if self.process is not None and self.process.poll() is None:
            self.resume()
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        self._end_orphans()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_orphans(self):
        """Apps outlive a daemon that was killed. Ours run in our folder."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if Path(os.readlink(entry / "cwd")).is_relative_to(self.folder):
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue
