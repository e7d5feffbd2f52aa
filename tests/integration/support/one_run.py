"""One run of one check, by `vitald probe --local`, in the background."""

import json
import os
import subprocess

from .daemon import Daemon


class Run:
    """`vitald probe` in the background, with what it needed."""

    def __init__(self, check, environment=None):
        self._daemon = Daemon({"it": check})
        command = [str(self._daemon.binary), "probe", "it", "--local", "--json", "--config", str(self._daemon.file)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                         stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})

    def result(self):
        """The report, and the most memory in bytes. It must end well, whatever it found."""
        try:
            text = self._process.stdout.read()
            errors = self._process.stderr.read()
            _, status, usage = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            if self._process.returncode not in range(4) or not text.strip():
                raise AssertionError(f"it ended with {self._process.returncode}: {text}{errors}")
            return json.loads(text), usage.ru_maxrss * 1024
        finally:
            self._process.stdout.close()
            self._process.stderr.close()
            self._daemon.close()


def probe(check, environment=None):
    return Run(check, environment).result()[0]


def evidence(report, label):
    return next((each["text"] for each in report["evidence"] if each["label"] == label), "")
