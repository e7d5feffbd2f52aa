"""What a service manager hears: the socket behind $NOTIFY_SOCKET."""

import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path

from .lifetime import Closed
from .waiting import wait_until


class NotifySocket(Closed):
    """Give `environment` to the daemon. Each message is kept as (time.monotonic(), text)."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-notify-"))
        self.path = self.folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._messages = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def environment(self, watchdog=None):
        """`watchdog` in seconds. WATCHDOG_PID is left out: the daemon's process id is not known yet."""
        variables = {"NOTIFY_SOCKET": str(self.path)}
        if watchdog:
            variables["WATCHDOG_USEC"] = str(int(watchdog * 1_000_000))
        return variables

    def messages(self):
        return list(self._messages)

    def said(self, line):
        """When each message with this line ("READY=1") came."""
        return [at for at, text in self.messages() if line in text.splitlines()]

    def wait_for(self, line, count=1, deadline=20):
        return wait_until(lambda: self.said(line) if len(self.said(line)) >= count else None,
                          lambda: f"{count} times {line}; it heard {[text for _, text in self.messages()]}", deadline)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _listen(self):
        while message := self._socket.recv(4096):
            self._messages.append((time.monotonic(), message.decode("utf-8", errors="replace")))
