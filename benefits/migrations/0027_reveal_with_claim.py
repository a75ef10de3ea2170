from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

# A parameter was added, so this would otherwise stay beside its successor.
DROP_OLD = """
DROP FUNCTION IF EXISTS benefits_take_claim(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb, integer, text[]);
"""


class Migration(migrations.Migration):
    """A code that is shown as it is granted is written once, not granted and then updated."""

    dependencies = [("benefits", "0026_published_slots")]
    # Each function has one text, the newest: going back keeps it, and claims wait for going forward.
    operations = [
        migrations.RunSQL(DROP_OLD, migrations.RunSQL.noop),
        run_sql_file(SQL / "take_claim.sql"),
        run_sql_file(SQL / "claim_now.sql"),
    ]
