"""The sweep of lapsed credits with fewer steps for each row."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """The function before this one cannot be brought back: it answers the same."""

    dependencies = [("credits", "0025_apple_account_first")]
    operations = [run_sql_file(SQL / "expire_batch.sql")]
