"""Loading a room's `.sql` files into its migrations."""

from pathlib import Path

from django.db import migrations


def run_sql_file(path: Path, reverse: str = migrations.RunSQL.noop) -> migrations.RunSQL:
    """A migration step that runs one `.sql` file as it is, `%` signs included."""
    return migrations.RunSQL(sql=path.read_text(encoding="utf-8"), reverse_sql=reverse)
