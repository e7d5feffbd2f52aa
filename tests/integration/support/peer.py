"""A peer that a test writes itself: listens on a loopback port of its own and talks to whoever comes."""

import socket
import threading

from .lifetime import Closed


class Peer(Closed):
    """talk(connection) runs on a thread for each connection. The other side may leave at any time: an OSError ends that
    talk and nothing else. Connections stay open until close(), whatever the talk did."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def talk(self, connection):
        raise NotImplementedError

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.talk(connection)
        except OSError:
            pass

    def close(self):
        for each in (self._socket, *self._connections):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
