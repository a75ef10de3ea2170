from pathlib import Path

from django.db import migrations

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP_TAKE = """
DROP FUNCTION IF EXISTS benefits_take_claim(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb);
"""


class Migration(migrations.Migration):
    """A member's limit counts what they gave away, and leaves out what they were given.

    Nothing to undo: without gifts the function counts as it did before.
    """

    dependencies = [("benefits", "0007_gifts")]
    operations = [
        migrations.RunSQL(DROP_TAKE, migrations.RunSQL.noop),
        run_sql_file(SQL / "take_claim.sql"),
    ]
