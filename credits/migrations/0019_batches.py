"""Batches plan once a session, and a sweep works out the instant in its operation ids once."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """The functions of the release before cannot be brought back: they answer the same."""

    dependencies = [("credits", "0018_earn_events")]
    operations = [run_sql_file(SQL / f"{name}.sql") for name in ("earn_batch", "expire_batch")]
