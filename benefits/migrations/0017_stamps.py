"""Stamps, and no way round from credits to credits."""

from pathlib import Path

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
REVERSE = """
    DROP TRIGGER guard_loop ON benefits_release;
    DROP TRIGGER guard_loop ON benefits_pricerow;
    DROP TRIGGER guard_loop ON benefits_benefit;
    DROP TRIGGER guard_price ON benefits_stampchoice;
    DROP FUNCTION benefits_guard_closed_loop, benefits_guard_stamp_price;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("benefits", "0016_fair_draws"),
        ("members", "0008_erasure"),
    ]

    operations = [
        migrations.CreateModel(
            name="Stamp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=40, verbose_name="source")),
                ("on", models.DateField(verbose_name="day")),
                ("month_on", models.DateField(verbose_name="month")),
                ("nth_of_day", models.PositiveSmallIntegerField()),
                ("nth_of_month", models.PositiveSmallIntegerField()),
                ("day_cap", models.PositiveSmallIntegerField()),
                ("month_cap", models.PositiveSmallIntegerField()),
                ("voided_at", models.DateTimeField(null=True, verbose_name="voided")),
                ("created_at", models.DateTimeField(verbose_name="collected")),
            ],
            options={
                "verbose_name": "stamp",
                "verbose_name_plural": "stamps",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="StampBoard",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(max_length=60, unique=True, verbose_name="address")),
                ("names", models.JSONField(verbose_name="names by language")),
                (
                    "metric",
                    models.CharField(
                        choices=[("purchases", "purchases made"), ("check_ins", "days checked in")],
                        default="purchases",
                        max_length=9,
                        verbose_name="counts",
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                (
                    "minimum_amount",
                    models.PositiveBigIntegerField(default=0, verbose_name="from (minor units)"),
                ),
                (
                    "needed",
                    models.PositiveSmallIntegerField(
                        default=6,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="stamps for a swap",
                    ),
                ),
                (
                    "day_cap",
                    models.PositiveSmallIntegerField(
                        default=1,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="stamps a day at most",
                    ),
                ),
                (
                    "month_cap",
                    models.PositiveSmallIntegerField(
                        default=6,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="stamps a month at most",
                    ),
                ),
                ("livemode", models.BooleanField(default=True, verbose_name="live mode")),
                ("starts_at", models.DateTimeField(verbose_name="starts")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "stamp board",
                "verbose_name_plural": "stamp boards",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="StampChoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=1, verbose_name="position")),
            ],
            options={
                "verbose_name": "choice of a stamp board",
                "verbose_name_plural": "choices of a stamp board",
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="StampSwap",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("op_id", models.UUIDField(editable=False)),
                ("stamps", models.PositiveSmallIntegerField(verbose_name="stamps")),
                ("created_at", models.DateTimeField(verbose_name="swapped")),
            ],
            options={
                "verbose_name": "stamp swap",
                "verbose_name_plural": "stamp swaps",
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="benefit",
            name="only_for_stamps",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="for stamps only"
            ),
        ),
        migrations.AddConstraint(
            model_name="benefit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("price_credits", 0),
                    models.Q(
                        models.Q(("kind", "credit_pack"), _negated=True), ("only_for_stamps", False)
                    ),
                    _connector="OR",
                ),
                name="benefits_benefit_no_closed_loop",
            ),
        ),
        migrations.AddField(
            model_name="stamp",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
            ),
        ),
        migrations.AddConstraint(
            model_name="stampboard",
            constraint=models.CheckConstraint(
                condition=models.Q(("day_cap__gte", 1), ("month_cap__gte", 1), ("needed__gte", 1)),
                name="benefits_stampboard_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="stampboard",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__isnull", True),
                    ("starts_at__lt", models.F("ends_at")),
                    _connector="OR",
                ),
                name="benefits_stampboard_window_forward",
            ),
        ),
        migrations.AddConstraint(
            model_name="stampboard",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("minimum_amount", 0),
                    models.Q(("currency", ""), _negated=True),
                    _connector="OR",
                ),
                name="benefits_stampboard_minimum_has_currency",
            ),
        ),
        migrations.AddField(
            model_name="stamp",
            name="board",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stamps",
                to="benefits.stampboard",
            ),
        ),
        migrations.AddField(
            model_name="stampchoice",
            name="benefit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stamp_choices",
                to="benefits.benefit",
            ),
        ),
        migrations.AddField(
            model_name="stampchoice",
            name="board",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="choices",
                to="benefits.stampboard",
            ),
        ),
        migrations.AddField(
            model_name="stampswap",
            name="board",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="swaps",
                to="benefits.stampboard",
            ),
        ),
        migrations.AddField(
            model_name="stampswap",
            name="claim",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stamp_swap",
                to="benefits.claim",
            ),
        ),
        migrations.AddField(
            model_name="stampswap",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="stamp",
            name="swap",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="spent_stamps",
                to="benefits.stampswap",
            ),
        ),
        migrations.AddConstraint(
            model_name="stampchoice",
            constraint=models.UniqueConstraint(
                fields=("board", "benefit"), name="benefits_stampchoice_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="stampswap",
            constraint=models.UniqueConstraint(
                fields=("member", "op_id"), name="benefits_stampswap_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="stamp",
            constraint=models.UniqueConstraint(
                fields=("member", "board", "source"), name="benefits_stamp_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="stamp",
            constraint=models.UniqueConstraint(
                fields=("member", "board", "on", "nth_of_day"), name="benefits_stamp_of_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="stamp",
            constraint=models.UniqueConstraint(
                fields=("member", "board", "month_on", "nth_of_month"),
                name="benefits_stamp_of_month",
            ),
        ),
        migrations.AddConstraint(
            model_name="stamp",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("nth_of_day__gte", 1),
                    ("nth_of_month__gte", 1),
                    ("nth_of_day__lte", models.F("day_cap")),
                    ("nth_of_month__lte", models.F("month_cap")),
                ),
                name="benefits_stamp_within_caps",
            ),
        ),
        migrations.AddConstraint(
            model_name="stamp",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("swap__isnull", True), ("voided_at__isnull", True), _connector="OR"
                ),
                name="benefits_stamp_spent_or_void",
            ),
        ),
        run_sql_file(SQL / "loops.sql", reverse=REVERSE),
    ]
