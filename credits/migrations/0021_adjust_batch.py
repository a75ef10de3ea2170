"""Files of corrections, and their lines."""

import functools

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import zone.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0020_liability"),
        ("members", "0007_binding_query_times"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AdjustBatch",
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
                        default=functools.partial(zone.core.ids.new_public_id, *("adb",), **{}),
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("preview", "to be decided"),
                            ("running", "being applied"),
                            ("done", "done"),
                            ("refused", "refused"),
                        ],
                        default="preview",
                        max_length=7,
                        verbose_name="status",
                    ),
                ),
                ("file_name", models.CharField(blank=True, max_length=120, verbose_name="file")),
                ("file_hash", models.BinaryField(max_length=32, null=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("goodwill", "goodwill"),
                            ("missing", "credits that were missing"),
                            ("mistake", "our mistake"),
                            ("abuse", "abuse"),
                        ],
                        max_length=12,
                        verbose_name="reason",
                    ),
                ),
                ("note", models.TextField(max_length=1000, verbose_name="note")),
                ("row_count", models.PositiveIntegerField(default=0, verbose_name="rows")),
                ("fault_count", models.PositiveIntegerField(default=0, verbose_name="faulty rows")),
                ("given", models.PositiveBigIntegerField(default=0, verbose_name="credits given")),
                ("taken", models.PositiveBigIntegerField(default=0, verbose_name="credits taken")),
                ("applied_count", models.PositiveIntegerField(default=0, verbose_name="applied")),
                (
                    "refused_count",
                    models.PositiveIntegerField(default=0, verbose_name="refused by the ledger"),
                ),
                (
                    "limit_used",
                    models.PositiveIntegerField(null=True, verbose_name="within a limit of"),
                ),
                ("created_at", models.DateTimeField(verbose_name="asked")),
                ("expires_at", models.DateTimeField(verbose_name="good until")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                (
                    "checker",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                (
                    "maker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="credits.adjustbatch",
                        verbose_name="undoes",
                    ),
                ),
            ],
            options={
                "verbose_name": "adjustment file",
                "verbose_name_plural": "adjustment files",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="AdjustRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField(verbose_name="line")),
                (
                    "given_member",
                    models.CharField(blank=True, max_length=64, verbose_name="as written"),
                ),
                ("amount", models.IntegerField(null=True, verbose_name="credits")),
                (
                    "op_id",
                    models.UUIDField(default=zone.core.ids.uuid7, editable=False, unique=True),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("sound", "waiting"),
                            ("faulty", "faulty"),
                            ("applied", "applied"),
                            ("refused", "refused by the ledger"),
                        ],
                        max_length=7,
                        verbose_name="status",
                    ),
                ),
                (
                    "fault",
                    models.CharField(blank=True, default="", max_length=40, verbose_name="why not"),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="credits.adjustbatch",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of an adjustment file",
                "verbose_name_plural": "lines of adjustment files",
                "ordering": ["batch", "line"],
            },
        ),
        migrations.AddConstraint(
            model_name="adjustbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("checker", models.F("maker")), _negated=True),
                name="credits_adjustbatch_two_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["preview", "refused"]),
                    ("checker__isnull", False),
                    (
                        "limit_used__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("given"), "+", models.F("taken")
                        ),
                    ),
                    _connector="OR",
                ),
                name="credits_adjustbatch_entitled",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("status", "preview")),
                    models.Q(
                        models.Q(("status", "preview"), _negated=True),
                        ("decided_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="credits_adjustbatch_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("note", ""), _negated=True), name="credits_adjustbatch_note"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustbatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("status", "refused"), _negated=True), ("file_hash__isnull", False)
                ),
                fields=("file_hash",),
                name="credits_adjustbatch_file_once",
            ),
        ),
        migrations.AddIndex(
            model_name="adjustrow",
            index=models.Index(
                condition=models.Q(("status", "sound")),
                fields=["batch", "member"],
                name="credits_adjustrow_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustrow",
            constraint=models.UniqueConstraint(
                fields=("batch", "line"), name="credits_adjustrow_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustrow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "faulty"), _negated=True),
                fields=("batch", "member"),
                name="credits_adjustrow_member_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "faulty"),
                    models.Q(
                        ("amount__isnull", False),
                        ("member__isnull", False),
                        models.Q(("amount", 0), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="credits_adjustrow_sound",
            ),
        ),
    ]
