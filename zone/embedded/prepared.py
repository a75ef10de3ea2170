"""Whether the private database already is what this version's files ask for."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

CODE_FOLDERS = ("zone", "benefits", "credits", "templates", "static", "requirements")
MARK_FILE = "prepared"


class Prepared:
    """What the last `manage.py prepare` on a data folder was run for.

    It stands for two things that must both be unchanged: the files of this version, and the
    migrations the database has. A database that was thrown away answers with none.
    """

    def __init__(self, data: Path, code: Path = settings.BASE_DIR) -> None:
        self.mark = data / MARK_FILE
        self.code = code

    def is_current(self) -> bool:
        """Whether nothing that the last preparation stands for has changed since it was recorded."""
        try:
            recorded = self.mark.read_text(encoding="ascii")
        except OSError:
            return False
        has_static = (Path(settings.STATIC_ROOT) / "staticfiles.json").exists()
        return has_static and recorded == self._facts()

    def record(self) -> None:
        """Files and database, as they are now, count as prepared from here on."""
        self.mark.write_text(self._facts(), encoding="ascii")

    def forget(self) -> None:
        """Before anything is changed: half a preparation must not count as one."""
        self.mark.unlink(missing_ok=True)

    def _facts(self) -> str:
        applied = sorted(MigrationRecorder(connection).applied_migrations())
        told = hashlib.sha256(repr(applied).encode())
        for line in _code_lines(self.code):
            told.update(line.encode())
        return told.hexdigest()


def _code_lines(base: Path) -> Iterator[str]:
    """Name, size and time of every file; a changed one always changes its line."""
    for folder in CODE_FOLDERS:
        for path in sorted((base / folder).rglob("*")):
            if path.suffix != ".pyc" and path.is_file():
                about = path.stat()
                yield f"{path}\n{about.st_size}\n{about.st_mtime_ns}\n"
