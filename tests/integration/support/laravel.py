"""What Laravel and Horizon write to Redis and to SQL, without PHP (facts: RedisQueue.php, DatabaseQueue.php,
RedisMasterSupervisorRepository.php, RedisSupervisorRepository.php, RedisJobRepository.php)."""

import json
import socket
import threading
import time
import uuid


class Commands:
    """A connection to Redis: call("LLEN", "queues:default")."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")

    def call(self, *words):
        encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
        return self._reply(words)

    def _reply(self, words):
        line = self._file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise AssertionError(f"{words[:2]}: {rest.decode()}")
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if int(rest) < 0:
                return None
            text = self._file.read(int(rest) + 2)[:-2]
            return text.decode()
        if kind == b"*":
            return [self._reply(words) for _ in range(int(rest))]
        return rest.decode()

    def close(self):
        self._file.close()
        self._socket.close()


def payload(name="App\\Jobs\\Export", created=None, **more):
    """A job as Illuminate\\Queue\\Queue makes it."""
    return json.dumps({"uuid": str(uuid.uuid4()), "displayName": name, "job": "Illuminate\\Queue\\CallQueuedHandler@call",
                       "maxTries": 3, "data": {"commandName": name, "command": "O:15:\"App\\Jobs\\Export\":0:{}"},
                       "createdAt": int(time.time()) if created is None else created, "id": uuid.uuid4().hex,
                       "attempts": 0, "delay": None, **more})


class RedisQueue:
    """One queue with the driver redis."""

    def __init__(self, redis, prefix="", name="default", cluster=False):
        self.redis = redis
        self.key = f"{prefix}queues:" + (f"{{{name}}}" if cluster else name)

    def push(self, text=None):
        self.redis.call("RPUSH", self.key, text or payload())

    def later(self, seconds, text=None):
        self.redis.call("ZADD", f"{self.key}:delayed", int(time.time()) + seconds, text or payload())

    def pop(self, retry_after=90):
        """What a worker does first: move what is due, take the head, reserve it. The reserved job, or nothing."""
        now = int(time.time())
        for kind in ("delayed", "reserved"):
            for text in self.redis.call("ZRANGEBYSCORE", f"{self.key}:{kind}", "-inf", now):
                self.redis.call("ZREM", f"{self.key}:{kind}", text)
                self.redis.call("RPUSH", self.key, text)
        text = self.redis.call("LPOP", self.key)
        if text is None:
            return None
        job = json.loads(text)
        job["attempts"] = job.get("attempts", 0) + 1
        reserved = json.dumps(job)
        self.redis.call("ZADD", f"{self.key}:reserved", now + retry_after, reserved)
        return reserved

    def finish(self, reserved):
        self.redis.call("ZREM", f"{self.key}:reserved", reserved)


class Worker:
    """`php artisan queue:work`, until it is killed."""

    def __init__(self, queue):
        self._queue = queue
        self._killed = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self):
        while not self._killed.is_set():
            job = self._queue.pop()
            if job is None:
                self._killed.wait(0.02)
            else:
                self._queue.finish(job)

    def kill(self):
        self._killed.set()
        self._thread.join()


class Horizon:
    """`php artisan horizon` on one host: what its master and supervisors report."""

    def __init__(self, redis, prefix="shop_horizon:", host="web-1", environment="production", skew=0):
        self.redis = redis
        self.prefix = prefix
        self.master = f"{host}-Ab3d"
        self.environment = environment
        self.skew = skew
        self.supervisors = {"supervisor-1": {"redis:default": 3}, "supervisor-2": {"redis:exports": 2}}

    def _now(self):
        return int(time.time()) + self.skew

    def report(self, status="running", paused=()):
        """One round of the loop."""
        names = [f"{self.master}:{name}" for name in self.supervisors]
        self._hash(f"master:{self.master}", 15, name=self.master, environment=self.environment, pid=4711, status=status,
                   supervisors=json.dumps(names))
        self.redis.call("ZADD", f"{self.prefix}masters", self._now(), self.master)
        for name, processes in self.supervisors.items():
            full = f"{self.master}:{name}"
            self._hash(f"supervisor:{full}", 30, name=full, master=self.master, pid=4712,
                       status="paused" if name in paused else status, processes=json.dumps(processes),
                       options=json.dumps({"connection": "redis", "queue": "default"}))
            self.redis.call("ZADD", f"{self.prefix}supervisors", self._now(), full)

    def _hash(self, key, seconds, **fields):
        self.redis.call("HMSET", self.prefix + key, *[word for pair in fields.items() for word in pair])
        self.redis.call("EXPIRE", self.prefix + key, seconds)

    def vanish(self, seconds=45):
        """As if it had been killed that long ago: Redis has dropped the hashes, and the sets still name it."""
        self.redis.call("DEL", f"{self.prefix}master:{self.master}",
                        *[f"{self.prefix}supervisor:{self.master}:{name}" for name in self.supervisors])
        self.redis.call("ZADD", f"{self.prefix}masters", self._now() - seconds, self.master)

    def lose(self, supervisor):
        """A supervisor that was killed."""
        self.supervisors.pop(supervisor)
        self.redis.call("DEL", f"{self.prefix}supervisor:{self.master}:{supervisor}")

    def fail(self, name="App\\Jobs\\Export", queue="exports"):
        """A job fails for good."""
        job = str(uuid.uuid4())
        self.redis.call("HMSET", self.prefix + job, "id", job, "name", name, "queue", queue, "status", "failed")
        self.redis.call("ZADD", f"{self.prefix}failed_jobs", -(time.time() + self.skew), job)


JOBS_TABLES = """
CREATE TABLE jobs (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, queue VARCHAR(255) NOT NULL, payload LONGTEXT NOT NULL,
  attempts TINYINT UNSIGNED NOT NULL, reserved_at INT UNSIGNED NULL, available_at INT UNSIGNED NOT NULL,
  created_at INT UNSIGNED NOT NULL, KEY jobs_queue_index (queue));
CREATE TABLE failed_jobs (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, uuid VARCHAR(255) NOT NULL UNIQUE,
  connection TEXT NOT NULL, queue TEXT NOT NULL, payload LONGTEXT NOT NULL, exception LONGTEXT NOT NULL,
  failed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
"""
JOBS_TABLES_POSTGRES = """
CREATE TABLE jobs (id bigserial PRIMARY KEY, queue varchar(255) NOT NULL, payload text NOT NULL,
  attempts smallint NOT NULL, reserved_at integer NULL, available_at integer NOT NULL, created_at integer NOT NULL);
CREATE INDEX jobs_queue_index ON jobs (queue);
CREATE TABLE failed_jobs (id bigserial PRIMARY KEY, uuid varchar(255) NOT NULL UNIQUE, connection text NOT NULL,
  queue text NOT NULL, payload text NOT NULL, exception text NOT NULL,
  failed_at timestamp(0) NOT NULL DEFAULT CURRENT_TIMESTAMP);
"""


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def job_row(queue="default", available=0, reserved=None, name="App\\Jobs\\Export"):
    """An INSERT of a job that can be taken `available` seconds from now, or was taken `reserved` seconds ago."""
    now = int(time.time())
    taken = "NULL" if reserved is None else now - reserved
    return ("INSERT INTO jobs (queue, payload, attempts, reserved_at, available_at, created_at) VALUES "
            f"('{queue}', {literal(payload(name))}, 0, {taken}, {now + available}, {now + min(available, 0)});")


def failed_row(queue="exports", name="App\\Jobs\\Export"):
    return ("INSERT INTO failed_jobs (uuid, connection, queue, payload, exception) VALUES "
            f"('{uuid.uuid4()}', 'database', '{queue}', {literal(payload(name))}, 'RuntimeException: no');")
