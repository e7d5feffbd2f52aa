"""A small S3 server that verifies signatures (Signature Version 4): buckets of sizes and times, pages, versioning, both
styles of address. signature() is proven against the published answers in test_s3.py."""

import hashlib
import hmac
import ssl
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from .lifetime import Closed

_STAMP = "%Y%m%dT%H%M%SZ"
_STATUS = {"AccessDenied": 403, "InvalidAccessKeyId": 403, "SignatureDoesNotMatch": 403, "RequestTimeTooSkewed": 403,
           "NoSuchBucket": 404, "PermanentRedirect": 301, "AuthorizationHeaderMalformed": 400, "SlowDown": 503,
           "InternalError": 500}


def _sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret, method, path, query, headers, names, scope):
    """The hex signature of a request. `path` as it was sent, decoded once; `query` pairs; `headers` by lower-case name;
    `names` those that were signed; `scope` DAY/REGION/SERVICE/aws4_request."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    canonical = "\n".join([method, quote(path, safe="/-_.~"), "&".join(f"{name}={value}" for name, value in pairs),
                           "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names), ";".join(names),
                           headers["x-amz-content-sha256"]])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = _sign(key, part)
    return _sign(key, to_sign).hex()


class Refusal(Exception):
    """Its argument is S3's code."""


class S3Server(Closed):
    """`keys` maps access keys to secrets. Buckets are made with bucket(), objects put with put(). `fail_with` is a code
    that every request gets; `html` a page that a console would show instead; `token` what temporary keys must bring."""

    def __init__(self, keys, region="us-east-1", page_size=1000, certificate=None):
        self.keys, self.region, self.page_size = keys, region, page_size
        self.buckets, self.versioning, self.public = {}, {}, set()
        self.fail_with = self.html = self.token = None
        self.ahead = timedelta()  # of the server's clock
        self.requests = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_port
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.file, certificate.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def endpoint(self, host="127.0.0.1"):
        return f"{self._scheme}://{host}:{self.port}"

    def bucket(self, name, versioning=""):
        self.buckets[name] = {}
        self.versioning[name] = versioning

    def put(self, bucket, key, size=1 << 20, age=timedelta(hours=3)):
        self.buckets[bucket][key] = (size, datetime.now(timezone.utc) - age)

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                try:
                    status, body = server._answer(self)
                except Refusal as refusal:
                    code = refusal.args[0]
                    status = _STATUS[code]
                    body = f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>"
                data = ('<?xml version="1.0" encoding="UTF-8"?>\n' + body if body.startswith("<") else body).encode()
                self.send_response(status)
                if status == 301:
                    self.send_header("x-amz-bucket-region", "eu-west-1")
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        return Handler

    def _answer(self, request):
        url = urlsplit(request.path)
        query = parse_qsl(url.query, keep_blank_values=True)
        self.requests.append(request.path)
        if self.html:
            return 200, self.html
        if self.fail_with:
            raise Refusal(self.fail_with)
        bucket = self._bucket_of(request, url)
        self._authenticate(request, url, query, bucket)
        if bucket not in self.buckets:
            raise Refusal("NoSuchBucket")
        if ("versioning", "") in query:
            status = self.versioning[bucket]
            return 200, f"<VersioningConfiguration>{f'<Status>{status}</Status>' if status else ''}</VersioningConfiguration>"
        return 200, self._list(bucket, dict(query))

    def _bucket_of(self, request, url):
        name = request.headers["Host"].split(":")[0]
        if name not in ("127.0.0.1", "localhost"):
            return name.split(".")[0]
        return unquote(url.path).strip("/").split("/")[0]

    def _authenticate(self, request, url, query, bucket):
        given = request.headers.get("Authorization")
        if given is None:
            if bucket in self.public:
                return
            raise Refusal("AccessDenied")
        parts = dict(part.split("=", 1) for part in given.removeprefix("AWS4-HMAC-SHA256 ").split(", "))
        access_key, scope = parts["Credential"].split("/", 1)
        headers = {name.lower(): value for name, value in request.headers.items()}
        now = datetime.now(timezone.utc) + self.ahead
        sent = datetime.strptime(headers["x-amz-date"], _STAMP).replace(tzinfo=timezone.utc)
        if access_key not in self.keys:
            raise Refusal("InvalidAccessKeyId")
        if abs(now - sent) > timedelta(minutes=15):
            raise Refusal("RequestTimeTooSkewed")
        if scope != f"{sent:%Y%m%d}/{self.region}/s3/aws4_request":
            raise Refusal("AuthorizationHeaderMalformed")
        names = parts["SignedHeaders"].split(";")
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names):
            raise Refusal("AccessDenied")
        if headers["x-amz-content-sha256"] != hashlib.sha256(b"").hexdigest():
            raise Refusal("SignatureDoesNotMatch")
        right = signature(self.keys[access_key], "GET", unquote(url.path), query, headers, names, scope)
        if not hmac.compare_digest(right, parts["Signature"]):
            raise Refusal("SignatureDoesNotMatch")
        if self.token and (headers.get("x-amz-security-token") != self.token or "x-amz-security-token" not in names):
            raise Refusal("AccessDenied")

    def _list(self, bucket, query):
        if query.get("list-type") != "2":
            raise Refusal("InternalError")
        after = bytes.fromhex(query.get("continuation-token", "")).decode()
        keys = [key for key in sorted(self.buckets[bucket]) if key.startswith(query.get("prefix", "")) and key > after]
        page = keys[:min(self.page_size, int(query["max-keys"]))]
        body = "".join(self._entry(bucket, key, query.get("encoding-type")) for key in page)
        more = len(keys) > len(page)
        token = f"<NextContinuationToken>{page[-1].encode().hex()}</NextContinuationToken>" if more else ""
        coded = "<EncodingType>url</EncodingType>" if query.get("encoding-type") == "url" else ""
        return (f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name>{coded}'
                f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{body}</ListBucketResult>")

    def _entry(self, bucket, key, coding):
        size, written = self.buckets[bucket][key]
        shown = quote(key, safe="/-_.~").replace("%20", "+") if coding == "url" else escape(key)
        etag = hashlib.md5(f"{key} {size}".encode()).hexdigest()
        return (f"<Contents><Key>{shown}</Key><LastModified>{written:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
                f"<ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>")
