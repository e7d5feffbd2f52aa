"""What the measurements play on: a folder that goes away, certificates, the target, the bare loop and the daemon."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

ADDRESSES = 16  # 127.0.0.1 and so on: one target would run out of ports, and its hanging checks share one allowance

LEAF = """basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=%s
"""


class Trouble(Exception):
    """A sentence for the person who runs the benchmarks."""


def address(check):
    return f"127.0.0.{1 + check % ADDRESSES}"


def stop(process):
    """Ends one process of ours: asked first, then made to."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


class Stage:
    def __init__(self, vitald, programs):
        self.vitald = vitald
        self.programs = programs
        self.folder = tempfile.mkdtemp(prefix="vitald-bench-")
        self.running = []
        self._certificates()
        self._start_target()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def spawn(self, command, **how):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **how)
        self.running.append(process)
        return process

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            raise Trouble(f"openssl {arguments[0]} failed: {done.stderr.strip()}")

    def _certificates(self):
        """An authority of our own and a leaf for every address of the target; P-256, as most sites have it."""
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self._openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "90", "-subj", "/CN=bench CA")
        self._openssl("req", *key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=bench")
        with open(self.path("leaf.ext"), "w") as file:
            file.write(LEAF % ",".join(f"IP:{address(i)}" for i in range(ADDRESSES)))
        self._openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "60", "-extfile", "leaf.ext", "-out", "leaf.pem")

    def _start_target(self):
        self.log = self.path("arrivals.log")
        command = [os.path.join(self.programs, "bench_target"), str(ADDRESSES), self.log, self.path("leaf.pem"),
                   self.path("leaf.key")]
        process = self.spawn(command, stdout=subprocess.PIPE, text=True)
        words = process.stdout.readline().split()
        if len(words) != 6:
            raise Trouble("the target did not start")
        self.ports = {words[i]: int(words[i + 1]) for i in (0, 2, 4)}

    def _ask_target(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['http']}{path}", timeout=10) as answer:
            return answer.read()

    def control(self, mode="", start=0, step=1):
        """Sets how checks are answered, and has the log written out."""
        self._ask_target(f"/control?mode={mode}&from={start}&step={step}")

    def stats(self):
        return json.loads(self._ask_target("/stats"))

    def bare(self, kind, rate, seconds, count=None):
        """The bare loop, at `rate` a second for so long, or `count` flat out."""
        command = [os.path.join(self.programs, "bench_bare_loop"), kind, str(self.ports[kind]),
                   str(count or int(rate * seconds)), str(rate), str(ADDRESSES), self.path("ca.pem")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Trouble(f"the bare loop failed: {done.stdout.strip()} {done.stderr.strip()}")
        return json.loads(done.stdout)

    def check(self, kind, number, every, **more):
        where = f"{address(number)}:{self.ports[kind]}"
        options = {"probe": kind, "every": f"{round(every * 1000)}ms", "timeout": f"{min(5000, round(every * 1000))}ms"}
        if kind == "http":
            options["url"] = f"http://{where}/t/{number}"
        else:
            options["address"] = where
        if kind == "tls":
            options["ca_file"] = self.path("ca.pem")
        return {**options, **more}

    def daemon(self, checks, **more):
        return Daemon(self, checks, more)


class Daemon:
    """One run of the daemon on a state folder of its own. The log level is 'warning' so that its words cost nothing."""

    def __init__(self, stage, checks, more):
        self.folder = tempfile.mkdtemp(prefix="daemon-", dir=stage.folder)
        config = {"instance": "bench", "listen": {"http": "127.0.0.1:0"}, "state": self.folder + "/state",
                  "runtime": self.folder + "/run", "checks": {f"c{n}": check for n, check in enumerate(checks)}, **more}
        for name in ("state", "run"):
            os.mkdir(os.path.join(self.folder, name), 0o700)
        path = os.path.join(self.folder, "vitald.yaml")
        with open(path, "w") as file:
            json.dump(config, file)
        self.errors = os.path.join(self.folder, "log")
        with open(self.errors, "wb") as log:
            began = time.monotonic()
            self.process = stage.spawn([stage.vitald, "run", "--config", path], stdout=subprocess.DEVNULL, stderr=log)
        self.pid = self.process.pid
        self.page = self._wait_for_page()
        self.seconds_to_start = time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)

    def _wait_for_page(self):
        for _ in range(6000):
            with open(self.errors, errors="replace") as file:
                text = file.read()
            found = re.search(r"status page: (http://\S+)", text)
            if found:
                return found.group(1)
            if self.process.poll() is not None:
                raise Trouble(f"vitald did not start: {text.strip()[-2000:]}")
            time.sleep(0.01)
        raise Trouble("vitald did not come up within a minute")

    def get(self, path):
        where = urllib.parse.urlsplit(self.page)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()
