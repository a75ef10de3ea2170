from pathlib import Path

from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
BY_BENEFIT = (
    "benefits_release", "benefits_ruleversion", "benefits_pricerow", "benefits_quota",
    "benefits_openinghours", "benefits_openingspan", "benefits_bundleitem",
)  # fmt: skip
DROP = "\n".join(
    [
        *(
            f"DROP TRIGGER IF EXISTS wish_{verb} ON {table};"
            for table in (
                *BY_BENEFIT, "benefits_benefit", "benefits_bundle", "benefits_fairdraw",
                "benefits_returnedslot", "benefits_quotause", "benefits_budget",
            )
            for verb in ("insert", "update", "delete", "freed")
        ),
        "CREATE OR REPLACE TRIGGER touch_insert AFTER INSERT ON benefits_claim"
        " REFERENCING NEW TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION benefits_note_touch('claims');",
        *(
            f"DROP FUNCTION {name};"
            for name in (
                "benefits_call_wishes()", "benefits_call_wishes_of()",
                "benefits_call_wishes_of_draw()", "benefits_call_wishes_for_slot()",
                "benefits_call_wishes_for_quota()", "benefits_call_wishes_for_budget()",
                "benefits_note_claims()", "benefits_answer_calls(integer, integer)",
            )
        ),
    ]
)  # fmt: skip
# From here on the journal is read for wishes. What was earned in the seconds between the last
# reading by the old way and this one is found when each wish is looked at anyway.
START = """
    INSERT INTO benefits_wishmark (tx_from)
    VALUES (txid_snapshot_xmin(txid_current_snapshot()));
"""
OPEN = models.Q(("state", "open"))


def key() -> tuple[str, models.BigAutoField]:
    return (
        "id",
        models.BigAutoField(
            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
        ),
    )


class Migration(migrations.Migration):
    """Wishes are woken by what changes about their benefit, and none is read without a cause."""

    dependencies = [
        ("benefits", "0039_usable_after_days"),
        ("credits", "0027_names"),
    ]
    operations = [
        migrations.CreateModel(
            name="WishCall",
            fields=[
                key(),
                ("benefit_id", models.BigIntegerField()),
                ("only_for_units", models.BooleanField(db_default=False)),
                ("after_wish", models.BigIntegerField(db_default=0)),
            ],
            options={
                "verbose_name": "call to the wishes of a benefit",
                "verbose_name_plural": "calls to the wishes of benefits",
            },
        ),
        migrations.CreateModel(
            name="WishMark",
            fields=[key(), ("tx_from", models.BigIntegerField())],
            options={
                "verbose_name": "mark of the wishes in the journal",
                "verbose_name_plural": "marks of the wishes in the journal",
            },
        ),
        migrations.AddField(
            model_name="wish",
            name="needs_units",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="wish",
            index=models.Index(
                fields=["benefit", "id"], name="benefits_wish_of_benefit", condition=OPEN
            ),
        ),
        migrations.AddIndex(
            model_name="wish",
            index=models.Index(
                fields=["benefit", "id"],
                name="benefits_wish_for_units",
                condition=models.Q(("needs_units", True), ("state", "open")),
            ),
        ),
        migrations.AddIndex(
            model_name="wish",
            index=models.Index(
                fields=["member"],
                name="benefits_wish_for_claims",
                condition=models.Q(("needs_claims", True), ("state", "open")),
            ),
        ),
        migrations.RunSQL(START, migrations.RunSQL.noop),
        run_sql_file(SQL / "wishes.sql"),
        run_sql_file(SQL / "wish_calls.sql", DROP),
    ]
