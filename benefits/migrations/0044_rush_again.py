from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
DROP = """
DROP FUNCTION IF EXISTS benefits_rush_again(bytea, interval, bigint, text, bigint, uuid, integer)
"""
DROP_LATE = "DROP FUNCTION IF EXISTS benefits_too_late(bytea[], uuid[], bigint[])"


class Migration(migrations.Migration):
    """Who lost the answer to a claim of a rush gets it again without a page."""

    dependencies = [("benefits", "0043_rush_together")]
    operations = [
        run_sql_file(SQL / "rush.sql", DROP_LATE),
        run_sql_file(SQL / "rush_again.sql", DROP),
    ]
