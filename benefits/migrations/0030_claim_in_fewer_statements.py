from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """A claim asks in fewer statements, and never reads all codes to find its own."""

    dependencies = [("benefits", "0029_lapsed_on_read")]
    # Each function has one text, the newest: going back keeps it, and claims wait for going forward.
    operations = [
        run_sql_file(SQL / "slots.sql"),
        run_sql_file(SQL / "take_claim.sql"),
        run_sql_file(SQL / "claim_now.sql"),
    ]
