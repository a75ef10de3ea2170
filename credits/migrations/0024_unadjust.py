"""Undoing an adjustment in the buckets it touched."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("credits", "0023_set_batches")]
    operations = [
        run_sql_file(SQL / "unadjust.sql", reverse="DROP FUNCTION ledger.unadjust"),
    ]
