"""The ledger: schema, guards and one function per verb."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = (
    "tables", "checks", "constraints", "days", "buckets", "posting", "accounts", "guards",
    "earn", "spend", "resolve", "refund", "clawback", "adjust", "status",
    "earn_batch", "expire_batch", "views",
)  # fmt: skip


class Migration(migrations.Migration):
    initial = True
    dependencies = [("core", "0001_clock"), ("members", "0001_first")]
    operations = [
        run_sql_file(SQL / "tables.sql", reverse="DROP SCHEMA ledger CASCADE"),
        *(run_sql_file(SQL / f"{name}.sql") for name in FILES[1:]),
    ]
