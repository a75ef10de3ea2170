"""Batches that earn, mature and expire in a few statements, whatever their size."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = ("earn_batch", "mature_batch", "expire_batch")


class Migration(migrations.Migration):
    """The functions of the release before cannot be brought back: they answer the same."""

    dependencies = [("credits", "0022_seal_watch")]
    operations = [run_sql_file(SQL / f"{name}.sql") for name in FILES]
