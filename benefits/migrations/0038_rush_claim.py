from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
DROP = """
DROP FUNCTION IF EXISTS benefits_rush_claim(
    bytea, interval, bigint, text, bigint, text, uuid, text, smallint, smallint, integer);
DROP FUNCTION IF EXISTS benefits_claims_of(bigint, bigint, uuid);
DROP VIEW IF EXISTS benefits_offered;
"""


class Migration(migrations.Migration):
    """A winner of a drop costs one round trip, and a young table is never read as a whole."""

    dependencies = [("benefits", "0037_voucher_turns")]
    operations = [
        run_sql_file(SQL / "claim_now.sql"),
        run_sql_file(SQL / "rush.sql", DROP),
    ]
