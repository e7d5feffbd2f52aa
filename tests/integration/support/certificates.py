"""A certificate authority of the test's own."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .lifetime import Closed

_SETTINGS = """
[ca]
default_ca = authority
[authority]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
"""


@dataclass
class Certificate:
    file: Path    # with the intermediate certificates behind it, where there are any
    key: Path


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def _stamp(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


class Authority(Closed):
    """`file` is what a client has to trust. `parent` makes it an intermediate one."""

    def __init__(self, name="vitald test authority", parent=None):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-ca-"))
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n", encoding="ascii")
        self._settings = self.folder / "openssl.cnf"
        self._settings.write_text(_SETTINGS.format(folder=self.folder), encoding="ascii")
        self.file = self.folder / "ca.pem"
        self._key = self.folder / "ca.key"
        self._chain = []
        self._new_key(self._key)
        if parent is None:
            _openssl("req", "-x509", "-new", "-key", self._key, "-out", self.file, "-days", 3650, "-subj", f"/CN={name}",
                     "-config", self._settings, "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign")
        else:
            made = parent._sign(self._key, name, "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n",
                                timedelta(days=-1), timedelta(days=365))
            shutil.copy(made, self.file)
            self._chain = [self.file, *parent._chain]

    def issue(self, *names, valid_from=timedelta(days=-1), valid_until=timedelta(days=90), with_chain=True):
        """A server certificate for these names (addresses too), valid between now plus the two distances."""
        alternatives = ",".join(("IP:" if name.replace(".", "").isdigit() or ":" in name else "DNS:") + name
                                for name in names)
        key = Path(tempfile.mkstemp(suffix=".key", dir=self.folder)[1])
        self._new_key(key)
        made = self._sign(key, names[0], f"basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n"
                                         f"subjectAltName={alternatives}\n", valid_from, valid_until)
        parts = [made, *(self._chain if with_chain else [])]
        file = key.with_suffix(".pem")
        file.write_text("".join(part.read_text(encoding="ascii") for part in parts), encoding="ascii")
        return Certificate(file, key)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _new_key(self, path):
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)

    def _sign(self, key, name, extensions, valid_from, valid_until):
        now = datetime.now(timezone.utc)
        request, made, wanted = (Path(f"{key}.{ending}") for ending in ("csr", "crt", "ext"))
        wanted.write_text(extensions, encoding="ascii")
        _openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/CN={name}", "-config", self._settings)
        _openssl("ca", "-batch", "-notext", "-config", self._settings, "-cert", self.file, "-keyfile", self._key,
                 "-in", request, "-out", made, "-extfile", wanted, "-startdate", _stamp(now + valid_from),
                 "-enddate", _stamp(now + valid_until))
        return made
