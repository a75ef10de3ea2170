from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
DROP = """
DROP FUNCTION IF EXISTS benefits_rush_claims(
    interval, bigint, text, bigint, text, bytea[], uuid[], text[], integer[]);
"""
DROP_LATE = "DROP FUNCTION IF EXISTS benefits_too_late(bytea[], uuid[], bigint[])"


class Migration(migrations.Migration):
    """Winners of the same instant are served in one statement and one commit."""

    dependencies = [("benefits", "0042_plain_amounts")]
    operations = [
        run_sql_file(SQL / "rush.sql", DROP_LATE),
        run_sql_file(SQL / "rush_together.sql", DROP),
    ]
