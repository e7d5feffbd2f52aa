"""A real RabbitMQ with a node, an epmd, folders and ports of its own, and a small AMQP 0-9-1 client to drive it."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from .lifetime import Closed, Started
from .network import accepts, free_port
from .waiting import wait_until

_SBIN = "/usr/lib/rabbitmq/bin"
_TAGS = {"admin": "administrator", "monitor": "monitoring", "stranger": "", "limited": "", "quiet": ""}


class RabbitMq(Started):
    """One node with AMQP, AMQP over TLS (with a `certificate`), and the management API.

    Users: admin, monitor (tag monitoring), stranger (no permission at all), limited and quiet
    (may enter `/` and nothing else), each with the password "secret of NAME". `queues` are there from the start.
    Skips the test where the server is not installed.
    """

    def __init__(self, queues=(), certificate=None):
        self._erl = shutil.which("erl")
        self._epmd_program = shutil.which("epmd")
        if not self._erl or not self._epmd_program or not os.access(f"{_SBIN}/rabbitmq-server", os.X_OK):
            raise unittest.SkipTest("rabbitmq-server is not installed")
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-rabbitmq-"))
        self.port, self.management_port, self._node_port, self._epmd_port = (free_port() for _ in range(4))
        self.tls_port = free_port() if certificate else None
        self.node = f"vitald{os.getpid()}@localhost"
        self.process = self._epmd = None
        self._said = 0    # how long the log was at the last start
        self._environment = self._make_environment()
        self._write_configuration(queues, certificate)

    # Files

    def _make_environment(self):
        settings = {
            "HOME": self.folder, "ERL_EPMD_PORT": self._epmd_port, "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node, "RABBITMQ_DIST_PORT": self._node_port,
            "RABBITMQ_NODE_PORT": self.port, "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": self.folder / "mnesia", "RABBITMQ_LOG_BASE": self.folder / "log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "enabled_plugins",
            "RABBITMQ_CONFIG_FILE": self.folder / "rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": self.folder / "no-environment-file",
            "RABBITMQ_PID_FILE": self.folder / "pid",
            # The start script becomes the server instead of waiting for it: one process, ended by its id.
            "RUNNING_UNDER_SYSTEMD": "true",
            # Distribution on loopback only; two schedulers are plenty.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
            "LC_ALL": "C.UTF-8",
        }
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith(("RABBITMQ_", "ERL_", "NOTIFY_SOCKET"))}
        return {**inherited, **{name: str(value) for name, value in settings.items()}}

    def _write_configuration(self, queues, certificate):
        for name in ("mnesia", "log"):
            (self.folder / name).mkdir()
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text("VITALDTESTCOOKIE", encoding="ascii")
        cookie.chmod(0o400)
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n", encoding="ascii")
        lines = [f"management.tcp.port = {self.management_port}", "management.tcp.ip = 127.0.0.1",
                 f"load_definitions = {self.folder}/definitions.json", "loopback_users = none",
                 "collect_statistics_interval = 500", "log.console = false",
                 # However full the disk of the test's host is.
                 "disk_free_limit.absolute = 1MB"]
        if certificate:
            lines += [f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}", f"ssl_options.cacertfile = {certificate.file}",
                      f"ssl_options.certfile = {certificate.file}", f"ssl_options.keyfile = {certificate.key}",
                      "ssl_options.verify = verify_none"]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n", encoding="ascii")
        everything, nothing = ({"configure": what, "write": what, "read": what} for what in (".*", ""))
        definitions = {
            "users": [{"name": name, "password": f"secret of {name}", "tags": tags} for name, tags in _TAGS.items()],
            "vhosts": [{"name": "/"}, {"name": "shop"}],
            "permissions": [
                *({"user": "admin", "vhost": vhost, **everything} for vhost in ("/", "shop")),
                *({"user": name, "vhost": "/", **nothing} for name in ("monitor", "limited", "quiet"))],
            "queues": [{"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
                       for name in queues],
        }
        (self.folder / "definitions.json").write_text(json.dumps(definitions), encoding="utf-8")

    # Life

    def start(self):
        """Also after kill(): what is durable is still there."""
        self._said = len(self.log())
        with (self.folder / "output.log").open("ab") as output:
            if self._epmd is None:
                # Our own, in the foreground: left to itself the server would start one that outlives it.
                self._epmd = subprocess.Popen(
                    [self._epmd_program, "-port", str(self._epmd_port), "-address", "127.0.0.1"],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment)
                wait_until(lambda: accepts(self._epmd_port), "epmd to listen")
            self.process = subprocess.Popen([f"{_SBIN}/rabbitmq-server"], stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, env=self._environment, cwd=self.folder,
                                            start_new_session=True)
        wait_until(self._is_ready, lambda: f"RabbitMQ to start; it said:\n{self.log()}", deadline=120, every=0.2)
        return self

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"RabbitMQ ended with {self.process.returncode}; it said:\n{self.log()}")
        return "Server startup complete" in self.log()[self._said:] and accepts(self.port)

    def suspend(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """As the kernel's OOM killer would."""
        self.process.kill()
        self.process.wait(20)

    def close(self):
        for process in (self.process, self._epmd):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(20)
        if self.process is not None:
            self._end_port_programs()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_port_programs(self):
        """erl_child_setup, inet_gethost and the like: in the server's own session, gone with it unless it was killed."""
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.getsid(int(entry.name)) == self.process.pid:
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue

    def log(self):
        files = [self.folder / "output.log", *sorted((self.folder / "log").glob("*.log"))]
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files if file.exists())

    # Questions and orders

    def control(self, *words):
        """rabbitmqctl WORDS."""
        subprocess.run([f"{_SBIN}/rabbitmqctl", *words], check=True, capture_output=True, env=self._environment,
                       stdin=subprocess.DEVNULL, timeout=120, cwd=self.folder)

    def api(self, path, method="GET", body=None):
        """What the management API answers to admin, as Python values."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.management_port}/api/{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        token = base64.b64encode(b"admin:secret of admin").decode()
        request.add_header("Authorization", f"Basic {token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                text = reply.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        return json.loads(text) if text else None

    def client(self, user="admin", vhost="/"):
        return AmqpClient(self.port, user, f"secret of {user}", vhost)

    def messages(self, queue):
        """As the management API counts them, which is late by a few hundred milliseconds."""
        return self.api(f"queues/%2F/{quote(queue, safe='')}").get("messages")


def _short(text):
    raw = text.encode()
    return bytes([len(raw)]) + raw


def _long(raw):
    return struct.pack(">I", len(raw)) + raw


class AmqpClient(Closed):
    """As little of AMQP 0-9-1 as it takes to declare, publish and consume, one frame at a time."""

    def __init__(self, port, user, password, vhost):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._file = self._socket.makefile("rb")
        self._socket.sendall(b"AMQP\x00\x00\x09\x01")
        self._wait_for(10, 10)
        response = b"\0" + user.encode() + b"\0" + password.encode()
        self._method(0, 10, 11, _long(b"") + _short("PLAIN") + _long(response) + _short("en_US"))
        tune = self._wait_for(10, 30)
        self._method(0, 10, 31, tune[:6] + b"\0\0")    # no heartbeat
        self._method(0, 10, 40, _short(vhost) + _short("") + b"\0")
        self._wait_for(10, 41)
        self._method(1, 20, 10, _short(""))
        self._wait_for(20, 11)

    def declare(self, queue):
        self._method(1, 50, 10, b"\0\0" + _short(queue) + b"\x02" + _long(b""))    # durable
        self._wait_for(50, 11)

    def publish(self, queue, count=1, body=b"work"):
        for _ in range(count):
            self._method(1, 60, 40, b"\0\0" + _short("") + _short(queue) + b"\0")
            self._frame(2, 1, struct.pack(">HHQH", 60, 0, len(body), 0))
            self._frame(3, 1, body)
        # A passive declaration is answered after everything before it on the channel.
        self._method(1, 50, 10, b"\0\0" + _short(queue) + b"\x03" + _long(b""))
        return struct.unpack(">II", self._wait_for(50, 11)[-8:])[0]

    def consume(self, queue, prefetch=0):
        """Attaches a consumer that never acknowledges; at most `prefetch` messages come."""
        if prefetch:
            self._method(1, 60, 10, struct.pack(">IH", 0, prefetch) + b"\0")
            self._wait_for(60, 11)
        self._method(1, 60, 20, b"\0\0" + _short(queue) + _short("vitald-test") + b"\0" + _long(b""))
        self._wait_for(60, 21)

    def purge(self, queue):
        self._method(1, 50, 30, b"\0\0" + _short(queue) + b"\0")
        self._wait_for(50, 31)

    def close(self):
        self._file.close()
        self._socket.close()

    def _frame(self, kind, channel, payload):
        self._socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce")

    def _method(self, channel, class_id, method_id, arguments):
        self._frame(1, channel, struct.pack(">HH", class_id, method_id) + arguments)

    def _wait_for(self, class_id, method_id):
        """The arguments of the next such method; deliveries and other frames on the way are dropped."""
        while True:
            head = self._file.read(7)
            if len(head) < 7:
                raise ConnectionError("the server closed the connection")
            kind, _, size = struct.unpack(">BHI", head)
            payload = self._file.read(size + 1)[:-1]
            if kind != 1:
                continue
            method = struct.unpack(">HH", payload[:4])
            if method == (class_id, method_id):
                return payload[4:]
            if method in ((10, 50), (20, 40)):
                raise AssertionError(f"the server closed: {re.sub(rb'[^ -~]', b'.', payload).decode()}")
