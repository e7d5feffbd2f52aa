"""Servers that begin like MySQL and then misbehave, on a loopback port of their own."""

from .peer import Peer

SSL = 0x800
_CAPABILITIES = 0x008FF7DF & ~SSL | 0x00080000  # what a MySQL 8 offers without TLS; plugin authentication among it


def packet(number, payload):
    """One packet of the protocol: its length in three bytes, its number, its bytes."""
    return len(payload).to_bytes(3, "little") + bytes([number & 255]) + payload


def greeting(capabilities=_CAPABILITIES, version=b"8.0.36", plugin=b"mysql_native_password"):
    low, high = (capabilities & 0xFFFF).to_bytes(2, "little"), (capabilities >> 16).to_bytes(2, "little")
    return packet(0, b"\x0a" + version + b"\0" + (7).to_bytes(4, "little") + b"abcdefgh\0" + low + b"\x21\x02\x00" + high +
                  bytes([21]) + bytes(10) + b"ijklmnopqrst\0" + plugin + b"\0")


def fine(number):
    return packet(number, b"\0\0\0\x02\0\0\0")


def number_of(value):
    """A number as the protocol writes lengths."""
    if value < 251:
        return bytes([value])
    return b"\xfe" + value.to_bytes(8, "little")


def text(value):
    return number_of(len(value)) + value


def column(name):
    return (text(b"def") + text(b"") * 3 + text(name) + text(b"") + b"\x0c" + (33).to_bytes(2, "little") +
            (100).to_bytes(4, "little") + b"\xfd\0\0\0\0\0")


def end_of_part(number):
    return packet(number, b"\xfe\0\0\x02\0")


class RogueMySql(Peer):
    """`talk(self, connection)` is what happens on each connection; all that came is in `heard`."""

    def __init__(self, talk):
        self._talk = talk
        self.heard = bytearray()
        super().__init__()

    def talk(self, connection):
        try:
            self._talk(self, connection)
        finally:
            connection.close()

    def read(self, connection):
        """The payload of the next packet; an OSError at the end."""
        head = self._exactly(connection, 4)
        return self._exactly(connection, int.from_bytes(head[:3], "little"))

    def _exactly(self, connection, size):
        got = b""
        while len(got) < size:
            piece = connection.recv(size - len(got))
            if not piece:
                raise OSError("the other side has closed the connection")
            self.heard += piece
            got += piece
        return got

    def listen(self, connection):
        """Hears everything until the other side closes."""
        while piece := connection.recv(65536):
            self.heard += piece

    def log_in(self, connection, **how):
        """A login that anybody passes; then answers to what is set up, until the first question."""
        connection.sendall(greeting(**how))
        self.read(connection)
        connection.sendall(fine(2))
        while True:
            question = self.read(connection)
            if not question.startswith(b"\x03SET "):
                return question
            connection.sendall(fine(1))
