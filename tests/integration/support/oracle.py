"""Judges what a receiver was told over crashes and restarts, by its own log and the database alone."""

import json
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Told:
    """One message as it arrived."""
    key: str
    incident: str
    sequence: int
    kind: str


def heard(requests):
    """What a receiver's requests say. One whose body was cut by the sender's death was never told."""
    told = []
    for request in requests:
        if len(request.body) != int(request.headers["content-length"]):
            continue
        message = request.json()
        told.append(Told(request.headers["idempotency-key"], message["incident"], message["sequence"], message["kind"]))
    return told


@dataclass(frozen=True)
class Committed:
    """What a database promises: incidents as {id: open}, messages to be sent as (incident, sequence)."""
    incidents: dict
    outbox: frozenset
    damage: str = ""   # what PRAGMA integrity_check said, or ""


def committed(state):
    """Reads a copy, so that the next start finds the files as the crash left them."""
    with tempfile.TemporaryDirectory(prefix="vitald-oracle-") as folder:
        for file in Path(state).glob("vitald.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, folder)
        database = Path(folder) / "vitald.db"
        if not database.exists() or database.stat().st_size == 0:
            return Committed({}, frozenset())
        connection = sqlite3.connect(database)
        try:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchone():
                return Committed({}, frozenset(), "" if said == "ok" else said)
            incidents = dict(connection.execute("SELECT id, open FROM incidents"))
            outbox = frozenset(connection.execute("SELECT incident, sequence FROM outbox"))
        except sqlite3.DatabaseError as broken:
            return Committed({}, frozenset(), str(broken))
        finally:
            connection.close()
    return Committed(incidents, outbox, "" if said == "ok" else said)


def at_rest(state):
    """Whether the database of a running daemon has no incident open and no message to be sent."""
    connection = sqlite3.connect(f"file:{state}/vitald.db?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM incidents WHERE open = 1)"
                                  ).fetchone()[0] == 0
    finally:
        connection.close()


def complaints(told, after_crash, at_the_end, crashes=1):
    """Sentences about what is wrong; `told` is everything that one receiver got, in order, until all was well again."""
    wrong = [f"the database is damaged: {state.damage}" for state in (after_crash, at_the_end) if state.damage]
    wrong += [f"incident {incident} is still open" for incident, is_open in at_the_end.incidents.items() if is_open]
    if at_the_end.outbox:
        wrong.append(f"messages were never sent: {sorted(at_the_end.outbox)}")
    there = {(message.incident, message.sequence) for message in told}
    wrong += [f"the committed message {each} was lost" for each in sorted(after_crash.outbox - there)]
    for incident, is_open in after_crash.incidents.items():
        kinds = {message.kind for message in told if message.incident == incident}
        if "problem" not in kinds:
            wrong.append(f"incident {incident} was committed and nobody was told")
        if not is_open and "recovery" not in kinds:
            wrong.append(f"the end of incident {incident} was committed and nobody was told")
    for incident in dict.fromkeys(message.incident for message in told):
        wrong += _in_one_incident([message for message in told if message.incident == incident], crashes)
    wrong += [f"incident {incident} was told but the database does not know it"
              for incident in sorted({message.incident for message in told} - set(at_the_end.incidents))]
    return wrong


def _in_one_incident(told, crashes):
    name = f"incident {told[0].incident}"
    wrong = []
    if told[0].kind != "problem":
        wrong.append(f"{name} begins with its {told[0].kind}")
    if told[-1].kind != "recovery":
        wrong.append(f"{name} ends with its {told[-1].kind}")
    sequences = [message.sequence for message in told]
    if sequences != sorted(sequences):
        wrong.append(f"{name} was told out of order: {sequences}")
    for kind in ("problem", "recovery"):
        keys = {message.key for message in told if message.kind == kind}
        if len(keys) > 1:
            wrong.append(f"{name}: one {kind} has several keys: {sorted(keys)}")
    for key in dict.fromkeys(message.key for message in told):
        same = [message for message in told if message.key == key]
        if len(same) > 1 + crashes:
            wrong.append(f"{name}: {key} came {len(same)} times after {crashes} crashes")
        if len({(message.sequence, message.kind) for message in same}) > 1:
            wrong.append(f"{name}: {key} is the key of different messages")
    return wrong


def show(told):
    return json.dumps([[message.incident[:4], message.sequence, message.kind, message.key] for message in told])
