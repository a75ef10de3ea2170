from pathlib import Path

from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

# Parameters changed, so these would otherwise stay beside their successors. Calls of the release
# before name fewer arguments, and the new ones have defaults.
DROP_OLD = """
DROP FUNCTION IF EXISTS benefits_take_claim(
    bigint, bigint, uuid, text, text, smallint, smallint, bigint, text, jsonb, integer);
DROP FUNCTION IF EXISTS benefits_price_for(bigint, bigint, text, integer);
DROP FUNCTION IF EXISTS benefits_quotas_of(
    bigint, bigint, bigint, text, text, bytea, timestamptz);
"""


class Migration(migrations.Migration):
    """A price from a tier up, and a slice of the stock for one tier."""

    dependencies = [("benefits", "0012_trials")]
    # Each function has one text, the newest: going back keeps it, and claims wait for going forward.
    operations = [
        migrations.AddField(
            model_name="pricerow",
            name="tier",
            field=models.SlugField(
                blank=True, db_default="", max_length=24, verbose_name="from this tier up"
            ),
        ),
        migrations.AddField(
            model_name="quota",
            name="tier",
            field=models.SlugField(
                blank=True, db_default="", max_length=24, verbose_name="of this tier only"
            ),
        ),
        migrations.RunSQL(DROP_OLD, migrations.RunSQL.noop),
        run_sql_file(SQL / "quotas.sql"),
        run_sql_file(SQL / "take_claim.sql"),
    ]
