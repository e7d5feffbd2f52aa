"""Peers that accept and say nothing, or next to nothing; and how late the daemon was meanwhile."""

import socket
import threading


class Silent:
    """Accepts every connection and never says a word."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._socket.getsockname()[1]
        self._connections = []
        self.count = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                self._connections.append(self._socket.accept()[0])
            except OSError:
                return
            self.count += 1
            if len(self._connections) > 600:  # those that the other side has long given up
                for old in self._connections[:100]:
                    old.close()
                del self._connections[:100]

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._connections:
            connection.close()


class Greeter:
    """Greets every connection and closes it."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            try:
                connection.sendall(b"220 ready\r\n")
            except OSError:
                pass
            connection.close()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def quantiles(metrics, name, wanted=(0.5, 0.99, 1.0)):
    """Upper bounds of the buckets in which the quantiles lie, as text."""
    prefix = f'{name}_bucket{{le="'
    buckets = sorted((float(series[len(prefix):-2].replace("+Inf", "inf")), count)
                     for series, count in metrics.items() if series.startswith(prefix))
    total = buckets[-1][1]
    return ", ".join(f"p{100 * each:g} <= {next(bound for bound, count in buckets if count >= each * total) * 1000:g} ms"
                     for each in wanted) + f" of {total:.0f}"
