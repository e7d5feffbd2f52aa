"""The real logrotate, with a configuration and a state file of its own."""

import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from .waiting import wait_until

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Logrotate:
    """Rotates `log` as the words say ("rotate 7", "copytruncate", "compress"), each time that rotate() is called."""

    def __init__(self, folder, log, *words):
        self.program = shutil.which("logrotate", path=_PATH)
        self.state = Path(folder) / "logrotate.state"
        self.file = Path(folder) / "logrotate.conf"
        user = f"su {pwd.getpwuid(os.geteuid()).pw_name} {grp.getgrgid(os.getegid()).gr_name}\n" if os.geteuid() == 0 else ""
        rules = "".join(f"  {word}\n" for word in words)
        self.file.write_text(f"{user}{log} {{\n{rules}}}\n", encoding="utf-8")
        self.file.chmod(0o644)

    def rotate(self):
        wait_until(self._rotated, "logrotate to find a name that is free: those with a date are new each second")

    def _rotated(self):
        done = subprocess.run([self.program, "--force", "--state", str(self.state), str(self.file)], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL, timeout=60)
        if "already exists, skipping" in done.stderr:
            return False
        assert done.returncode == 0, f"logrotate ended with {done.returncode}: {done.stdout}{done.stderr}"
        return True
