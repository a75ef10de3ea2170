import functools
from pathlib import Path

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import zone.core.ids
from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP_HOLDS = """
DROP FUNCTION benefits_hold_slot(bigint, bigint, uuid, timestamptz);
DROP FUNCTION benefits_extend_hold(bigint, timestamptz);
"""


class Migration(migrations.Migration):
    """Units held for a partner's checkout, and what members do with claims about to lapse."""

    dependencies = [
        ("benefits", "0019_bundles_and_hours"),
        ("members", "0007_binding_query_times"),
    ]

    operations = [
        migrations.AddField(
            model_name="benefit",
            name="snooze_days",
            field=models.PositiveSmallIntegerField(
                db_default=7,
                default=7,
                validators=[django.core.validators.MaxValueValidator(31)],
                verbose_name="more days near the end",
            ),
        ),
        migrations.AddField(
            model_name="benefit",
            name="thanks_credits",
            field=models.PositiveSmallIntegerField(
                db_default=5, default=5, verbose_name="credits for passing it on"
            ),
        ),
        migrations.CreateModel(
            name="Rescue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=functools.partial(zone.core.ids.new_public_id, *("rsc",), **{}),
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("snooze", "more time"),
                            ("pass_on", "passed on to the next in line"),
                        ],
                        max_length=8,
                        verbose_name="what",
                    ),
                ),
                ("month", models.CharField(max_length=7, verbose_name="month")),
                ("was_until", models.DateTimeField(null=True)),
                ("is_until", models.DateTimeField(null=True)),
                (
                    "thanks",
                    models.PositiveIntegerField(default=0, verbose_name="thank-you credits"),
                ),
                ("op_id", models.UUIDField(editable=False, null=True)),
                ("at", models.DateTimeField()),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rescues",
                        to="benefits.claim",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "rescue",
                "verbose_name_plural": "rescues",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("member", "kind", "month"), name="benefits_rescue_once_a_month"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_until__gt", models.F("was_until")), ("kind", "snooze")),
                            models.Q(("kind", "snooze"), _negated=True),
                            _connector="OR",
                        ),
                        name="benefits_rescue_gives_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StockHold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=functools.partial(zone.core.ids.new_public_id, *("shd",), **{}),
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                ("partner_id", models.BigIntegerField()),
                ("livemode", models.BooleanField()),
                ("external_id", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hold",
                        to="benefits.waitlistentry",
                    ),
                ),
            ],
            options={
                "verbose_name": "hold of a unit",
                "verbose_name_plural": "holds of units",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("partner_id", "livemode", "external_id"),
                        name="benefits_stockhold_once",
                    )
                ],
            },
        ),
        run_sql_file(SQL / "holds.sql", DROP_HOLDS),
    ]
