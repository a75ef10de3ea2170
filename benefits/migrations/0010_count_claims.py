from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

# Parameters changed, so these would otherwise stay beside their successors.
DROP_OLD = """
DROP FUNCTION IF EXISTS benefits_take_claim(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb);
DROP FUNCTION IF EXISTS benefits_next_slot(bigint, bigint, uuid, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("benefits", "0009_quota_zone_and_copy")]
    # Each function has one text, the newest: going back keeps it, and claims wait for going forward.
    operations = [
        migrations.RunSQL(DROP_OLD, migrations.RunSQL.noop),
        run_sql_file(SQL / "slots.sql"),
        # quotas.sql names columns that come later: 0013 loads it.
        run_sql_file(SQL / "waitlist.sql"),
        run_sql_file(SQL / "take_claim.sql"),
    ]
