"""Something that listens where a PostgreSQL should, and behaves badly."""

import ssl
import struct
import threading

from .peer import Peer

_SSL_REQUEST = 80877103


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


LET_IN = message(b"R", struct.pack("!i", 0)) + message(b"S", b"client_encoding\0UTF8\0") + message(b"Z", b"I")
WANT_CLEAR = message(b"R", struct.pack("!i", 3))
WANT_SCRAM = message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0")
WANT_MD5 = message(b"R", struct.pack("!i", 5) + b"salt")
ONE_COLUMN = message(b"1") + message(b"2") + message(b"T", b"\0\1x\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))


def row(value):
    return message(b"D", struct.pack("!hi", 1, len(value)) + value)


class RoguePostgres(Peer):
    """`tls`: None refuses it, "stall" promises it and says no more, a Certificate speaks it. `greeting` answers the
    login; `forever` is what it says from then on, without end, once it was asked something. `received` is all that
    clients sent, as they meant it. `scram_rounds`: so often must the client hash its password."""

    def __init__(self, greeting=b"", forever=b"", tls=None, silent=False, scram_rounds=0):
        self._greeting, self._forever, self._tls, self._silent = greeting, forever, tls, silent
        self._scram_rounds = scram_rounds
        self.received = b""
        self._closed = threading.Event()
        super().__init__()

    def talk(self, connection):
        if self._silent:
            self._closed.wait()
            return
        first = self._hear(connection)
        if first[4:8] == struct.pack("!i", _SSL_REQUEST):
            if self._tls is None:
                connection.sendall(b"N")
                self._hear(connection)
                return
            connection.sendall(b"S")
            if self._tls == "stall":
                self._closed.wait()
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls.file, self._tls.key)
            connection = context.wrap_socket(connection, server_side=True)
            self._connections.append(connection)
            self._hear(connection)
        connection.sendall(self._greeting)
        answer = self._hear(connection)
        if self._scram_rounds:  # RFC 5802: the client's nonce comes back with more behind it
            nonce = answer.split(b"r=")[1] + b"more"
            first = b"r=" + nonce + b",s=c2FsdA==,i=" + str(self._scram_rounds).encode()
            connection.sendall(message(b"R", struct.pack("!i", 11) + first))
        if answer and self._forever:
            connection.sendall(ONE_COLUMN)
            while True:
                connection.sendall(self._forever)
        while self._hear(connection):
            pass

    def _hear(self, connection):
        heard = connection.recv(65536)
        self.received += heard
        return heard

    def close(self):
        self._closed.set()
        super().close()
