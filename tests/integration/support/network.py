"""Ports."""

import itertools
import random
import socket

# Below those that the kernel hands out to clients (net.ipv4.ip_local_port_range begins at 32768): a connection of somebody
# else must not take a port between its choice here and its use. Each process begins somewhere else and takes none twice.
_LOWEST, _COUNT = 15000, 17000
_next = itertools.count(random.SystemRandom().randrange(_COUNT))


def free_port():
    """A loopback TCP port that nobody listens on just now."""
    for _ in range(_COUNT):
        port = _LOWEST + next(_next) % _COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError(f"no port is free from {_LOWEST} to {_LOWEST + _COUNT}")


def accepts(port, address="127.0.0.1"):
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
