"""The plain roads of earn and spend made shorter, and a batch of earns in one statement."""

from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
FILES = ("checks", "days", "accounts", "earn", "spend", "earn_batch")
# A day's end stands in its market's row, so that a verb compares instants instead of days.
DAY_END = """
    ALTER TABLE ledger.zone_day ADD COLUMN IF NOT EXISTS ends_at timestamptz;
    UPDATE ledger.zone_day SET ends_at = (day + 1)::timestamp AT TIME ZONE name
    WHERE ends_at IS NULL;
    ALTER TABLE ledger.zone_day ALTER COLUMN ends_at SET NOT NULL;
"""


class Migration(migrations.Migration):
    """The functions of the release before cannot be brought back: they answer the same."""

    dependencies = [("credits", "0015_adjust_request")]
    operations = [
        migrations.RunSQL(DAY_END, migrations.RunSQL.noop),
        *(run_sql_file(SQL / f"{name}.sql") for name in FILES),
    ]
