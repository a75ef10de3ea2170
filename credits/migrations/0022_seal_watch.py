"""The watch over the seals, what it found, and the log that roots are published in."""

from pathlib import Path

from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
REVERSE = """
    DROP FUNCTION ledger.note_anchor;
    DROP TABLE ledger.anchor;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0021_adjust_batch"),
    ]

    operations = [
        run_sql_file(SQL / "anchors.sql", reverse=REVERSE),
        run_sql_file(SQL / "seal_next.sql"),
        migrations.CreateModel(
            name="SealWatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("next_block", models.BigIntegerField(default=1)),
                ("lap_started_at", models.DateTimeField(null=True)),
                ("lap_finished_at", models.DateTimeField(null=True)),
                ("newest_block", models.BigIntegerField(default=0)),
                ("change_counts", models.JSONField(default=dict)),
                ("suspect_block", models.BigIntegerField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SealFinding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("block", models.BigIntegerField(verbose_name="block")),
                ("what", models.CharField(max_length=80, verbose_name="what")),
                ("member_id", models.BigIntegerField(null=True, verbose_name="member")),
                ("op_id", models.UUIDField(null=True, verbose_name="operation")),
                ("found_at", models.DateTimeField(verbose_name="found")),
            ],
            options={
                "verbose_name": "tampering with the ledger",
                "verbose_name_plural": "tampering with the ledger",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("block", "what", "member_id", "op_id"),
                        name="credits_sealfinding_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
