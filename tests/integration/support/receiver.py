"""A server that plays Slack, PagerDuty and any webhook: it records what it is sent and answers as it is told."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .lifetime import Closed
from .waiting import wait_until


@dataclass
class Answer:
    status: int = 200
    body: str = "ok"
    headers: dict = field(default_factory=dict)
    delay: float = 0.0   # seconds before the first byte
    hang: bool = False   # never answers; the connection stays open until the receiver is closed
    drop: bool = False   # closes the connection without an answer


@dataclass
class Request:
    method: str
    path: str
    headers: dict   # names in lower case
    body: bytes
    at: float       # time.monotonic()

    def json(self):
        return json.loads(self.body)


class Receiver(Closed):
    """Listens as soon as it is made. Slack is at /slack, PagerDuty at /v2/enqueue; any other path is a webhook."""

    def __init__(self, port=0):
        self._lock = threading.Lock()
        self._requests = []
        self._planned = {}     # path prefix: answers for the next requests
        self._standing = {}    # path prefix: the answer for all that follow
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Conversation)
        self._server.receiver = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def slack_url(self):
        return self.url + "/slack"

    @property
    def pagerduty_url(self):
        return self.url + "/v2/enqueue"

    @property
    def webhook_url(self):
        return self.url + "/hook"

    def plan(self, prefix, *answers):
        """The next requests whose path starts with `prefix` get these, one each; then the usual again."""
        with self._lock:
            self._planned.setdefault(prefix, []).extend(answers)

    def always(self, prefix, answer=None):
        """Every request whose path starts with `prefix` gets this from now on; None: the usual again."""
        with self._lock:
            if answer is None:
                self._standing.pop(prefix, None)
            else:
                self._standing[prefix] = answer

    def requests(self, prefix="/"):
        """What came so far, in order."""
        with self._lock:
            return [request for request in self._requests if request.path.startswith(prefix)]

    def wait_for(self, count, prefix="/", deadline=20):
        """The requests, as soon as there are at least `count`."""
        def arrived():
            found = self.requests(prefix)
            return found if len(found) >= count else None
        return wait_until(arrived, lambda: f"{count} requests to {prefix}; there are {len(self.requests(prefix))}", deadline)

    def close(self):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, request):
        with self._lock:
            self._requests.append(request)
            for prefix, answers in self._planned.items():
                if request.path.startswith(prefix) and answers:
                    return answers.pop(0)
            for prefix, answer in self._standing.items():
                if request.path.startswith(prefix):
                    return answer
        return _usual(request)


def _usual(request):
    if not request.path.startswith("/v2/enqueue"):
        return Answer()
    key = request.json().get("dedup_key", "made-up-by-the-server")
    return Answer(202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": key}),
                  {"Content-Type": "application/json"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128
    receiver = None


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _converse(self):
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = receiver._take(Request(self.command, self.path, headers, body, time.monotonic()))
        if answer.hang:
            receiver._closing.wait()
        elif answer.delay:
            receiver._closing.wait(answer.delay)
        if answer.hang or answer.drop:
            self.close_connection = True
            return
        content = answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_HEAD = _converse

    def log_message(self, *_):
        pass
