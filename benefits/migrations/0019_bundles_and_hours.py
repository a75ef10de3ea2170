import functools
from pathlib import Path

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import zone.core.ids
from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP_BUNDLES = """
DROP FUNCTION benefits_lock_bundles(bigint, bigint);
DROP FUNCTION benefits_bundle_rival(bigint, bigint, timestamptz);
"""
DROP_OPENINGS = """
DROP FUNCTION benefits_is_open(bigint, timestamptz);
DROP FUNCTION benefits_opens_next(bigint, timestamptz);
"""


class Migration(migrations.Migration):
    """Bundles and opening hours, judged by the claim function; what a claim was counted in."""

    dependencies = [
        ("benefits", "0018_segments_and_trials"),
    ]

    operations = [
        migrations.AddField(
            model_name="claim",
            name="budget_cost",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="claim",
            name="undo_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="claim",
            name="window_count",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="Bundle",
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
                        default=functools.partial(zone.core.ids.new_public_id, *("bdl",), **{}),
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="address")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("pick", "choose some of them"),
                            ("apart", "they exclude each other"),
                            ("all", "all of them, together"),
                            ("ladder", "a ladder: spend more, get more"),
                        ],
                        max_length=6,
                        verbose_name="kind",
                    ),
                ),
                (
                    "picks",
                    models.PositiveSmallIntegerField(
                        default=1,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="how many",
                    ),
                ),
                (
                    "within_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="counting the last days",
                    ),
                ),
                (
                    "spent_days",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="ladder: spent in the last days"
                    ),
                ),
                (
                    "currency",
                    models.CharField(blank=True, max_length=3, verbose_name="ladder: currency"),
                ),
                ("words", models.JSONField(default=dict, verbose_name="words")),
                ("is_active", models.BooleanField(default=True, verbose_name="in force")),
                (
                    "holds_since",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "bundle",
                "verbose_name_plural": "bundles",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("picks__gte", 1)), name="benefits_bundle_some"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "ladder"),
                                ("spent_days__gte", 1),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            models.Q(("kind", "ladder"), _negated=True),
                            _connector="OR",
                        ),
                        name="benefits_bundle_ladder_is_measured",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(
                            validators=[
                                django.core.validators.MinValueValidator(1),
                                django.core.validators.MaxValueValidator(7),
                            ]
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="weekdays, Monday is 1",
                    ),
                ),
                (
                    "dates",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(),
                        blank=True,
                        default=list,
                        size=400,
                        verbose_name="single days",
                    ),
                ),
                (
                    "rule",
                    models.CharField(
                        blank=True,
                        help_text="Such as FREQ=MONTHLY;BYDAY=1FR for the first Friday of each month.",
                        max_length=200,
                        verbose_name="recurrence rule (RFC 5545)",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="from this day on")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="last day")),
                ("opens_at_local", models.TimeField(verbose_name="opens at, local time")),
                (
                    "closes_at_local",
                    models.TimeField(
                        help_text="Not later than it opens: on the next day.",
                        verbose_name="closes at, local time",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="Asia/Shanghai", max_length=40, verbose_name="time zone"
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="in force")),
                ("planned_until", models.DateTimeField(editable=False, null=True)),
                (
                    "benefit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hours",
                        to="benefits.benefit",
                    ),
                ),
            ],
            options={
                "verbose_name": "opening hours",
                "verbose_name_plural": "opening hours",
            },
        ),
        migrations.CreateModel(
            name="OpeningSpan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "benefit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="benefits.benefit",
                    ),
                ),
                (
                    "hours",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="spans",
                        to="benefits.openinghours",
                    ),
                ),
            ],
            options={
                "verbose_name": "opening",
                "verbose_name_plural": "openings",
            },
        ),
        migrations.CreateModel(
            name="BundleItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                (
                    "least_spent",
                    models.PositiveBigIntegerField(
                        default=0, verbose_name="ladder: from, minor units"
                    ),
                ),
                (
                    "added_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "benefit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bundle_items",
                        to="benefits.benefit",
                        verbose_name="benefit",
                    ),
                ),
                (
                    "bundle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="benefits.bundle",
                    ),
                ),
            ],
            options={
                "verbose_name": "benefit of a bundle",
                "verbose_name_plural": "benefits of a bundle",
                "ordering": ["position", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("bundle", "benefit"), name="benefits_bundleitem_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="openinghours",
            index=models.Index(
                condition=models.Q(("is_active", True)),
                fields=["benefit"],
                name="benefits_openinghours_of",
            ),
        ),
        migrations.AddConstraint(
            model_name="openinghours",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("dates", []), ("weekdays", []), models.Q(("rule", ""), _negated=True)
                    ),
                    models.Q(
                        ("rule", ""), ("weekdays", []), models.Q(("dates", []), _negated=True)
                    ),
                    models.Q(
                        ("dates", []), ("rule", ""), models.Q(("weekdays", []), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="benefits_openinghours_one_way",
            ),
        ),
        migrations.AddIndex(
            model_name="openingspan",
            index=models.Index(fields=["benefit", "ends_at"], name="benefits_openingspan_next"),
        ),
        migrations.AddConstraint(
            model_name="openingspan",
            constraint=models.UniqueConstraint(
                fields=("hours", "starts_at"), name="benefits_openingspan_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="openingspan",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="benefits_openingspan_length",
            ),
        ),
        run_sql_file(SQL / "bundles.sql", DROP_BUNDLES),
        run_sql_file(SQL / "openings.sql", DROP_OPENINGS),
        run_sql_file(SQL / "quotas.sql"),
        run_sql_file(SQL / "take_claim.sql"),
    ]
