from pathlib import Path

from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP_LEASE = "DROP FUNCTION benefits_lease_fairly(integer, interval, integer, bigint[], integer[]);"
DROP_ENDINGS = "DROP FUNCTION benefits_settle_endings(integer, text);"


class Migration(migrations.Migration):
    """Fair leases, endings that give codes back, providers that take benefits back.

    The functions that the release before calls stay until the next one.
    """

    dependencies = [("benefits", "0010_count_claims")]
    operations = [
        migrations.AddField(
            model_name="providerconfig",
            name="allows_return",
            field=models.BooleanField(db_default=False, default=False, verbose_name="takes back"),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(
                condition=models.Q(("state", "reserved")),
                fields=["release", "next_attempt_at", "id"],
                name="benefits_claim_due_of_release",
            ),
        ),
        run_sql_file(SQL / "lease.sql", DROP_LEASE),
        run_sql_file(SQL / "endings.sql", DROP_ENDINGS),
    ]
