"""A real nginx with a configuration, a folder and ports of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .lifetime import Started
from .network import accepts, free_port
from .waiting import wait_until

_FRAME = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  root {folder}/www;
{servers}
}}
"""


class Nginx(Started):
    """`locations` is what stands in its plain HTTP server; `certificate` adds a TLS server with the same locations."""

    def __init__(self, locations='location / { return 200 "hello\\n"; }', certificate=None, server_name="localhost",
                 port=None):
        self.program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-nginx-"))
        self.folder.chmod(0o755)
        (self.folder / "www").mkdir()
        self.port = port or free_port()
        self.tls_port = free_port() if certificate else None
        self.server_name = server_name
        self.process = None
        self.configure(locations, certificate)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def configure(self, locations, certificate=None):
        """Writes the configuration; a running nginx takes it with reload()."""
        head = f"    server_name {self.server_name};\n    {locations}\n"
        servers = f"  server {{\n    listen 127.0.0.1:{self.port};\n{head}  }}\n"
        if certificate:
            servers += (f"  server {{\n    listen 127.0.0.1:{self.tls_port} ssl;\n    ssl_certificate {certificate.file};\n"
                        f"    ssl_certificate_key {certificate.key};\n{head}  }}\n")
        user = "user root;" if os.geteuid() == 0 else ""
        text = _FRAME.format(folder=self.folder, servers=servers, user=user)
        (self.folder / "nginx.conf").write_text(text, encoding="utf-8")

    def start(self):
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                [self.program, "-p", str(self.folder), "-e", str(self.folder / "error.log"), "-c", str(self.folder / "nginx.conf")],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(self._listens, lambda: f"nginx to listen; it said:\n{self.log()}")
        return self

    def _listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nginx ended with {self.process.returncode}; it said:\n{self.log()}")
        return all(accepts(port) for port in (self.port, self.tls_port) if port)

    def reload(self):
        """SIGHUP; waits until a fresh worker serves."""
        before = self._workers()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self._workers() and not before & self._workers(), lambda: f"nginx to reload:\n{self.log()}")

    def _workers(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return set(children.split())

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def log(self):
        return "".join(file.read_text(encoding="utf-8", errors="replace")
                       for file in (self.folder / "output.log", self.folder / "error.log") if file.exists())

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
