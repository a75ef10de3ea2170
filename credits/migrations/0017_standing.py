"""Accounts that stand still, and days that a move jumped over."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0016_plain_roads"),
        ("members", "0008_erasure"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="checkin",
            name="how",
            field=models.CharField(
                choices=[
                    ("tap", "tapped"),
                    ("late", "tapped after midnight, away from home"),
                    ("early", "tapped the evening before, away from home"),
                    ("shield", "saved by a shield"),
                    ("moved", "jumped over by moving to another zone"),
                ],
                max_length=6,
                verbose_name="how",
            ),
        ),
        migrations.CreateModel(
            name="Freeze",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("fraud", "suspected fraud"),
                            ("dispute", "dispute with the wallet"),
                            ("request", "the member asked"),
                            ("other", "other"),
                        ],
                        max_length=8,
                        verbose_name="reason",
                    ),
                ),
                ("note", models.TextField(max_length=1000, verbose_name="note")),
                ("frozen_at", models.DateTimeField(verbose_name="frozen")),
                (
                    "thaw_note",
                    models.TextField(blank=True, max_length=1000, verbose_name="why it ends"),
                ),
                ("thawed_at", models.DateTimeField(null=True, verbose_name="thawed")),
                (
                    "frozen_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="frozen by",
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
                (
                    "thawed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="thawed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "freeze",
                "verbose_name_plural": "freezes",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("thawed_at__isnull", True)),
                        fields=("member",),
                        name="credits_freeze_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("note", ""), _negated=True),
                        name="credits_freeze_has_note",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("thawed_at__isnull", True), ("thawed_by__isnull", True)),
                            models.Q(
                                ("thawed_at__isnull", False),
                                ("thawed_by__isnull", False),
                                models.Q(("thaw_note", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="credits_freeze_thawed_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeptAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unlinked_at", models.DateTimeField(verbose_name="unlinked")),
                ("closes_at", models.DateTimeField(verbose_name="kept until")),
                ("available", models.PositiveIntegerField(verbose_name="credits kept")),
                ("warned_at", models.DateTimeField(null=True, verbose_name="warned")),
                ("restored_at", models.DateTimeField(null=True, verbose_name="linked again")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                (
                    "given_up",
                    models.PositiveIntegerField(default=0, verbose_name="credits given up"),
                ),
                ("next_attempt_at", models.DateTimeField(null=True)),
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
                "verbose_name": "kept account",
                "verbose_name_plural": "kept accounts",
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["next_attempt_at"],
                        name="credits_keptaccount_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("restored_at__isnull", True)),
                        fields=("member",),
                        name="credits_keptaccount_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("next_attempt_at__isnull", True),
                            models.Q(("closed_at__isnull", True), ("restored_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="credits_keptaccount_waits_only_open",
                    ),
                ],
            },
        ),
        run_sql_file(SQL / "reopen.sql", reverse="DROP FUNCTION ledger.reopen;"),
    ]
