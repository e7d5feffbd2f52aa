"""An engine that follows a script: for what podman cannot be brought to show here (statistics, pause, out of memory)."""

import json
import shutil
import socket
import tempfile
import threading
from pathlib import Path

from .lifetime import Closed


class DockerEngine(Closed):
    """Answers GET of the Docker Engine API on a Unix socket, as the reference of the API has it. `answers` is path to
    (status, value); the query does not count. A value is sent as JSON, bytes as they are, in chunks as Docker does."""

    def __init__(self, answers):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-docker-"))
        self.socket = str(self.folder / "docker.sock")
        self.answers = answers
        self.requests = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.socket)
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    head += piece
                line = head.split(b"\r\n", 1)[0].decode()
                self.requests.append(line)
                self._answer(connection, *self.answers.get(line.split()[1].split("?")[0], (404, {"message": "page not found"})))
            except OSError:
                pass

    @staticmethod
    def _answer(connection, status, value):
        connection.sendall(f"HTTP/1.1 {status} Words\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        if value == "endless":
            while True:
                connection.sendall(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        for at in range(0, len(data), 100):
            piece = data[at:at + 100]
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)
