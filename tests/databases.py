"""Databases for tests: one template with every migration, and copies of it in a blink.

The owner makes the template; tests, threads and child processes use copies as the app role, so a
test has exactly the rights the product has. Works on the private server and on one named by
`DATABASE_URL`; there `MIGRATE_DATABASE_URL` (or the same role) must be allowed to make databases.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from psycopg import sql

from zone.core.roles import APP
from zone.embedded.postgres import MAJOR

_numbers = count(1)
# linux/fs.h: the flag that `chattr +T` sets, and the two calls that read and write it.
_TOP_FOLDER, _GET_FLAGS, _SET_FLAGS = 0x00020000, 0x80086601, 0x40086602


@dataclass(frozen=True)
class Database:
    """A database of its own, with the addresses that owner and app reach it by."""

    name: str
    owner_url: str
    app_url: str

    @property
    def env(self) -> dict[str, str]:
        """What a child process needs in its environment to work on this database."""
        return {
            "DATABASE_URL": self.app_url,
            "MIGRATE_DATABASE_URL": self.owner_url,
            "REDIS_URL": settings.REDIS_URL,
        }

    def connect(self, *, as_owner: bool = False) -> psycopg.Connection:
        """A plain connection, for looking past Django; the caller closes it (`with`)."""
        return psycopg.connect(self.owner_url if as_owner else self.app_url, autocommit=True)

    def manage(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run a `manage.py` command on this database as a process of its own."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env={**os.environ, **self.env, "DJANGO_SETTINGS_MODULE": "zone.settings", **env},
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def _with_database(url: str, name: str, *, role: str = "") -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if role:
        query["options"] = f"-c role={role}"
    return urlunsplit(
        parts._replace(path=f"/{quote(name)}", query=urlencode(query, quote_via=quote))
    )


def _named(name: str) -> Database:
    """The addresses of `name`. Where app and owner are one login, the app takes on its role."""
    owner, app = settings.MIGRATE_DATABASE_URL, settings.DATABASE_URL
    is_one_login = urlsplit(owner).username == urlsplit(app).username
    return Database(
        name=name,
        owner_url=_with_database(owner, name),
        app_url=_with_database(app, name, role=APP if is_one_login and _has_app_role() else ""),
    )


def _has_app_role() -> bool:
    """Whether the roles could be made here; without the right to, tests run as the login."""
    with _server() as server:
        row = server.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(rolname, 'MEMBER')", [APP]
        ).fetchone()
    return row is not None


@contextmanager
def _server() -> Iterator[psycopg.Connection]:
    """The owner's connection beside every test database."""
    url = settings.MIGRATE_DATABASE_URL
    try:
        connection = psycopg.connect(_with_database(url, "postgres"), autocommit=True)
    except psycopg.OperationalError:
        connection = psycopg.connect(url, autocommit=True)
    with connection:
        yield connection


def _run(server: psycopg.Connection, statement: str, **names: str) -> None:
    identifiers = {key: sql.Identifier(value) for key, value in names.items()}
    server.execute(sql.SQL(statement).format(**identifiers))  # type: ignore[arg-type]


def _schema_files() -> dict[str, str]:
    """Every file that decides what a template holds, with the digest of what is in it."""
    places = [settings.BASE_DIR / room for room in ("zone", "credits", "benefits")]
    files = [file for place in places for file in place.rglob("*.py")]
    files = [file for file in files if "migrations" in file.parts or file.name == "roles.py"]
    files += [file for place in places for file in place.rglob("*.sql")]
    digests = {
        str(file.relative_to(settings.BASE_DIR)): _digest(file.read_bytes())
        for file in sorted(files)
    }
    return {"append-only": _digest(repr(settings.ZONE_APPEND_ONLY_TABLES).encode()), **digests}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def template() -> str:
    """The name of a complete template, made on first need and after each change of the schema.

    Where files were only added, an earlier template is brought forward.
    """
    files = _schema_files()
    prefix = f"{urlsplit(settings.MIGRATE_DATABASE_URL).path.strip('/')}_template_"
    name = prefix + _digest(repr(files).encode())
    with _server() as server:
        # One maker at a time, also across test processes; the lock ends with the connection.
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [prefix])
        _spread_databases(settings.ZONE_DATA / f"postgresql-{MAJOR}" / "base")
        found = dict(
            server.execute(
                "SELECT datname, coalesce(shobj_description(oid, 'pg_database'), '') "
                "FROM pg_database WHERE starts_with(datname, %s)",
                [prefix],
            ).fetchall()
        )
        if found.get(name):
            return name
        _run(server, "DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=name)
        earlier = _find_earlier(found, files)
        if earlier:
            _run(server, "CREATE DATABASE {name} TEMPLATE {earlier}", name=name, earlier=earlier)
        else:
            _run(server, "CREATE DATABASE {name}", name=name)
        database = _named(name)
        for command in (("migrate", "--noinput", "-v0"), ("setup_roles",)):
            done = database.manage(*command)
            assert done.returncode == 0, done.stderr
        server.execute(
            sql.SQL("COMMENT ON DATABASE {name} IS {files}").format(
                name=sql.Identifier(name), files=sql.Literal(json.dumps(files))
            )
        )
        for old in found.keys() - {name}:
            _run(server, "DROP DATABASE IF EXISTS {old} WITH (FORCE)", old=old)
    return name


def _spread_databases(folder: Path) -> None:
    """Let ext4 place each database below `folder` apart from the others.

    Next to a copy that was dropped a minute ago it looks at each of 1,600 file numbers that it may
    not use again yet, for each of 1,600 new files: a copy takes two seconds and more instead of
    0.4. Other file systems do not know the flag, and need none.
    """
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            (flags,) = struct.unpack("l", fcntl.ioctl(handle, _GET_FLAGS, struct.pack("l", 0)))
            fcntl.ioctl(handle, _SET_FLAGS, struct.pack("l", flags | _TOP_FOLDER))
        finally:
            os.close(handle)


def _find_earlier(found: dict[str, str], files: dict[str, str]) -> str | None:
    """A complete template whose every file is still as it was, if there is one."""
    for name, comment in found.items():
        made_from = json.loads(comment) if comment.startswith("{") else None
        if made_from and made_from.items() <= files.items():
            return name
    return None


def verify_books(database: Database) -> tuple[int, str]:
    """Exit code and words of `manage.py verify_books`, run here on the database that is in use.

    In a thread, whose connection is new: as a process of its own would, it knows nothing of this
    session's clock.
    """
    assert connections.settings["default"]["NAME"] == database.name, "another one is in use"

    def run() -> tuple[int, str]:
        told = StringIO()
        try:
            call_command("verify_books", stdout=told)
        except CommandError as broken:
            return 1, f"{told.getvalue()}{broken}"
        finally:
            connections.close_all()
        return 0, told.getvalue()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(run).result()


@contextmanager
def copy(label: str = "copy", *, source: str = "") -> Iterator[Database]:
    """A fresh copy of the template, dropped afterwards however many sessions it still has.

    Or of the database `source`, which nobody uses meanwhile.
    """
    source = source or template()
    name = f"{source}_{label}_{os.getpid()}_{next(_numbers)}"
    with _server() as server:
        _drop_left_over(server, source)
        _run(server, "CREATE DATABASE {name} TEMPLATE {source}", name=name, source=source)
    try:
        yield _named(name)
    finally:
        with _server() as server:
            _run(server, "DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=name)


@contextmanager
def empty(label: str) -> Iterator[Database]:
    """A database with nothing in it, dropped afterwards: for programs that bring their own tables."""
    name = f"{urlsplit(settings.MIGRATE_DATABASE_URL).path.strip('/')}_{label}_{os.getpid()}"
    with _server() as server:
        _run(server, "CREATE DATABASE {name}", name=name)
    try:
        yield _named(name)
    finally:
        with _server() as server:
            _run(server, "DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=name)


def _drop_left_over(server: psycopg.Connection, source: str) -> None:
    """Copies whose test process was killed; one that is still in use refuses and stays."""
    rows = server.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"{source}_"]
    ).fetchall()
    for (name,) in rows:
        pid = int(name.split("_")[-2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with contextlib.suppress(psycopg.errors.ObjectInUse):
                _run(server, "DROP DATABASE IF EXISTS {name}", name=name)
        except PermissionError:
            continue


@contextmanager
def in_use(database: Database, *, pool: bool) -> Iterator[None]:
    """Point Django, in every thread of this process, at `database`."""
    config = connections.settings["default"]
    wrapper = connections["default"]
    wrapper.close()
    wrapper.close_pool()
    before = dict(config)
    parts = urlsplit(database.app_url)
    options = {**config["OPTIONS"], "options": dict(parse_qsl(parts.query)).get("options", "")}
    # Threads of a race each want a connection; a pool would make them queue.
    config.update(
        NAME=database.name, OPTIONS={**options, "pool": options["pool"] if pool else False}
    )
    try:
        yield
    finally:
        wrapper.close()
        wrapper.close_pool()
        config.clear()
        config.update(before)
