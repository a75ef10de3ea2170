"""Promised credits, and a clawback that makes no debt."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
REVERSE = """
    DROP FUNCTION ledger.clawback_available, ledger.cancel_pending, ledger.promise_batch;
    DROP FUNCTION IF EXISTS ledger.mature_batch;
"""


class Migration(migrations.Migration):
    dependencies = [("credits", "0009_return_window")]
    operations = [run_sql_file(SQL / "pending.sql", reverse=REVERSE)]
