from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
DROP = "\n".join(
    [
        *(
            f"DROP TRIGGER IF EXISTS {trigger} ON {table};"
            for table in (
                "members_binding", "history_charge", "history_subscription",
                "credits_membertier", "benefits_segmentmember", "benefits_membertag",
            )
            for trigger in ("wish_insert", "wish_update")
        ),
        "DROP FUNCTION benefits_wake_wishes(integer);",
        "DROP FUNCTION benefits_touch_wishes();",
    ]
)  # fmt: skip


class Migration(migrations.Migration):
    """Members who asked to be told when they can have a benefit."""

    dependencies = [
        ("benefits", "0035_member_tags"),
        ("credits", "0006_tiers"),
        ("history", "0002_refund_key_is_counted"),
        ("members", "0009_binding_apple_index"),
    ]
    operations = [
        migrations.CreateModel(
            name="WishTouch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("member_id", models.BigIntegerField()),
            ],
            options={"verbose_name": "touched wish", "verbose_name_plural": "touched wishes"},
        ),
        migrations.CreateModel(
            name="Wish",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "waiting"),
                            ("told", "told"),
                            ("dropped", "dropped"),
                            ("over", "ended"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("asked_at", models.DateTimeField(db_default=Now())),
                ("looked_at", models.DateTimeField(null=True)),
                ("looks_at", models.DateTimeField(null=True)),
                ("needs_credits", models.PositiveIntegerField(null=True)),
                ("needs_claims", models.BooleanField(default=False)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "benefit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wishes",
                        to="benefits.benefit",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wishes",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "wish to be told",
                "verbose_name_plural": "wishes to be told",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["looks_at"],
                        name="benefits_wish_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("member", "benefit"),
                        name="benefits_wish_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("looks_at__isnull", False), ("state", "open")),
                            models.Q(
                                models.Q(("state", "open"), _negated=True),
                                ("looks_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="benefits_wish_waits_only_open",
                    ),
                ],
            },
        ),
        run_sql_file(SQL / "wishes.sql", DROP),
    ]
