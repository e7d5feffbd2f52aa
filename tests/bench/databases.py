"""What a check of a database costs, beside a bare client with the same library at the same pace in the same minute."""

import json
import os
import statistics
import subprocess
import sys
import time

import gauge
from stage import Trouble

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))

COUNT, EVERY = 20, 0.4  # 50 checks a second in all


def _bare(stage, kind, where, user, password, seconds):
    rate = COUNT / EVERY
    command = [os.path.join(stage.programs, "bench_bare_database"), kind, str(where), user, password,
               str(int(rate * seconds)), str(rate)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise Trouble(f"the bare client failed: {done.stdout.strip()} {done.stderr.strip()}")
    return json.loads(done.stdout)["cpu_us"]


def _runs(daemon):
    return sum(float(line.rsplit(" ", 1)[1]) for line in daemon.get("/metrics").splitlines()
               if line.startswith("vitald_check_runs_total{"))


def run_cost(stage, check, seconds, server=None):
    """Processor microseconds of one run: the daemon's, and those of the process `server` that it asks."""
    checks = [{**check, "every": f"{EVERY * 1000:g}ms", "timeout": f"{EVERY * 1000:g}ms"} for _ in range(COUNT)]
    with stage.daemon(checks) as daemon:
        time.sleep(1.5)
        runs, cpu, theirs = _runs(daemon), gauge.cpu_us(daemon.pid), gauge.own_cpu_us(server) if server else 0
        time.sleep(seconds)
        cpu = gauge.cpu_us(daemon.pid) - cpu
        theirs = gauge.own_cpu_us(server) - theirs if server else 0
        runs = max(1, _runs(daemon) - runs)
        bad = [line for line in daemon.get("/metrics").splitlines()
               if line.startswith("vitald_check_status{") and not line.endswith(" 0")]
        if bad:
            raise Trouble(f"a check that should be well is not: {bad[0]}")
        return cpu / runs, theirs / runs


def cost(stage, plan, name, check, bare=None):
    """`bare` is kind, place, user and password for the bare client; without it the check's figure stands alone."""
    rounds = []
    for _ in range(plan.rounds):
        before = _bare(stage, *bare, plan.bare_s) if bare else 0
        mine, _ = run_cost(stage, check, plan.cost_s)
        after = _bare(stage, *bare, plan.bare_s) if bare else 0
        rounds.append((mine, statistics.mean([before, after])))
    middle = [round(statistics.median(each), 1) for each in zip(*rounds)]
    return {"name": name, "cpu_us": middle[0], "bare_us": middle[1] if bare else None,
            "ratio": round(middle[0] / middle[1], 2) if bare else None}


def _mysql(stage, plan):
    from support.mariadb import MariaDb
    with MariaDb() as server:
        server.sql("CREATE USER vitald@localhost IDENTIFIED BY 'bench'; GRANT PROCESS, SLAVE MONITOR ON *.* TO vitald@localhost")
        login = {"probe": "mysql", "socket": str(server.socket), "user": "vitald", "password": "bench"}
        bare = (str(server.socket), "vitald", "bench")
        one = {**login, "query": "SELECT 1 AS one"}
        yield cost(stage, plan, "mysql, one query, new connection", one, ("mysql", *bare))
        yield cost(stage, plan, "mysql, one query, kept connection", {**one, "keep_connection": True}, ("mysql-kept", *bare))
        yield cost(stage, plan, "mysql, all its figures, new connection", login, ("mysql", *bare))


def _postgres(stage, plan):
    from support.postgres import Postgres
    with Postgres("max_connections = 100\n") as server:
        server.psql("CREATE ROLE vitald LOGIN PASSWORD 'bench'", "GRANT pg_monitor TO vitald")
        login = {"probe": "postgres", "socket": str(server.socket), "user": "vitald", "password": "bench", "database": "postgres"}
        bare = (f"{server.sockets}:{server.port}", "vitald", "bench")
        one = {**login, "query": "SELECT 1 AS one"}
        yield cost(stage, plan, "postgres, one query, new connection", one, ("postgres", *bare))
        yield cost(stage, plan, "postgres, one query, kept connection", {**one, "keep_connection": True}, ("postgres-kept", *bare))
        yield cost(stage, plan, "postgres, all its figures, new connection", login, ("postgres", *bare))


def _redis(stage, plan):
    from support.redis import Redis
    with Redis() as server:
        where = {"socket": str(server.socket)}
        bare = (str(server.socket), "", "")
        redis = {"probe": "redis", **where}
        yield cost(stage, plan, "redis, new connection", redis, ("redis", *bare))
        yield cost(stage, plan, "redis, kept connection", {**redis, "keep_connection": True}, ("redis-kept", *bare))
        queues = {"probe": "laravel-queue", "redis": where, "queues": ["default", "mail"]}
        yield cost(stage, plan, "laravel-queue over redis, two queues", queues, ("redis", *bare))


def _rabbitmq(stage, plan):
    from support.rabbitmq import RabbitMq
    with RabbitMq() as server:
        check = {"probe": "rabbitmq", "address": f"127.0.0.1:{server.port}", "user": "monitor", "password": "secret of monitor"}
        yield cost(stage, plan, "rabbitmq, handshake", check)


def all_costs(stage, plan):
    for part in (_mysql, _postgres, _redis, _rabbitmq):
        yield from part(stage, plan)
