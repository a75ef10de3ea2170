from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """A unit whose hold or offer is over is had again from that instant, before any sweep."""

    dependencies = [("benefits", "0028_fenced_claims")]
    # Each function has one text, the newest: going back keeps it, and both answer the same calls.
    operations = [
        run_sql_file(SQL / "slots.sql"),
        run_sql_file(SQL / "waitlist.sql"),
        run_sql_file(SQL / "holds.sql"),
    ]
