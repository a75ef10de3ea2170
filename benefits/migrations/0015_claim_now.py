from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP = """
DROP FUNCTION benefits_claim_now(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb, integer, text[],
    boolean);
"""


class Migration(migrations.Migration):
    """A claim and everything its door shows of it, in one round trip."""

    dependencies = [("benefits", "0014_pool_watch")]
    operations = [run_sql_file(SQL / "claim_now.sql", DROP)]
