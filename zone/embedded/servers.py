"""Joining the private servers: start what is missing, use what runs."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from zone.embedded import keeper, redis
from zone.embedded.folder import Folder, Lock
from zone.embedded.refusal import CannotStart

STARTED = time.monotonic()  # Settings import this before anything else happens.
START_SECONDS_MAX = 90.0
LEAVE_SECONDS_MAX = 25.0
NO_REDIS = (
    "No Redis found on this machine: background work uses files and takes seconds longer. "
    "Install redis-server or set REDIS_URL to change that."
)
FILE_BROKER = "filesystem://"

# Held until this process ends; the kernel lets go of them then.
_held: dict[tuple[Path, str], Lock] = {}


@dataclass(frozen=True)
class Servers:
    database_url: str
    migrate_database_url: str
    redis_url: str


def connect(data: Path, *, database: bool, redis: bool) -> Servers:
    """Start what is asked for, or join what already runs under `data`.

    Safe to repeat, from any number of processes at once. Raises CannotStart.
    """
    folder = Folder(data)
    folder.prepare()
    postgres = _join(folder, "postgresql") if database else {}
    redis_url = _join_redis(folder) if redis else ""
    return Servers(postgres.get("url", ""), postgres.get("owner_url", ""), redis_url)


def leave(data: Path) -> bool:
    """Stop using the servers and wait until they stopped; false when somebody else needs them."""
    folder = Folder(data)
    mine = {name: lock for (root, name), lock in _held.items() if root == data}
    lonely = []
    for name, users in mine.items():
        del _held[data, name]
        users.release()
        if users.try_take():  # Nobody else holds it.
            lonely.append(name)
        users.close()
    have_ended = [_wait_for_end(folder, name) for name in lonely]
    return all(have_ended) and len(lonely) == len(mine)


def _join_redis(folder: Folder) -> str:
    if redis.find_program() is None:
        return FILE_BROKER
    return _join(folder, "redis")["url"]


def _join(folder: Folder, name: str) -> dict[str, str]:
    """How to reach the server `name`, which runs when this returns."""
    if (folder.root, name) not in _held:
        users = folder.lock(f"{name}.users")
        users.share()  # Waits while a keeper that found nobody is stopping its server.
        _held[folder.root, name] = users
    state = keeper.state_path(folder, name)
    start = folder.lock(f"{name}.start")
    start.take()  # One starter at a time; the others find a running server.
    try:
        if not _is_kept(folder, name):
            state.unlink(missing_ok=True)
            _start_keeper(folder, name)
        facts = _wait_for_facts(folder, name, state)
    finally:
        start.close()
    if "error" in facts:
        raise CannotStart(facts["error"])
    return facts


def _start_keeper(folder: Folder, name: str) -> None:
    with (folder.run / f"{name}.keeper.log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "zone.embedded.keeper", name, str(folder.root)],
            cwd=Path(__file__).resolve().parent.parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=True,
        )


def _wait_for_facts(folder: Folder, name: str, state: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        is_kept = _is_kept(folder, name)
        try:
            facts: dict[str, str] = json.loads(state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if not is_kept:
                break  # Asked in this order, a keeper that just wrote is not missed.
            time.sleep(0.02)
        else:
            return facts
    raise CannotStart(
        f"the private {name} did not start; {folder.run / f'{name}.keeper.log'} says why."
    )


def _is_kept(folder: Folder, name: str) -> bool:
    """Whether a keeper looks after this server."""
    lock = folder.lock(f"{name}.keeper")
    try:
        return not lock.try_take()
    finally:
        lock.close()


def _wait_for_end(folder: Folder, name: str) -> bool:
    deadline = time.monotonic() + LEAVE_SECONDS_MAX
    while _is_kept(folder, name):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
