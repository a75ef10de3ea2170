from django.db import migrations

# What was loaded before batches could be kept: everything that has a counter is on sale.
MARK_PUBLISHED = """
UPDATE benefits_codebatch batch
SET published_slot = placed.slot
FROM (
    SELECT code.batch_id, max(code.slot) AS slot
    FROM benefits_code code
    JOIN benefits_release release ON release.id = code.release_id
    WHERE code.slot <= release.last_slot
    GROUP BY code.batch_id
) placed
WHERE placed.batch_id = batch.id
"""


class Migration(migrations.Migration):
    """Batches say themselves how far they are on sale.

    Let imports of codes finish before this runs: the release before does not write the mark.
    """

    dependencies = [("benefits", "0025_kept_codes_and_messages")]
    operations = [
        migrations.RunSQL(MARK_PUBLISHED, migrations.RunSQL.noop),
    ]
