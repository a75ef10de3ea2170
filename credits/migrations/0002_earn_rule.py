"""Earn rules as data, and the books as read-only models."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0001_ledger"),
        ("members", "0005_attempt_next_path"),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="members.member",
                    ),
                ),
                (
                    "status",
                    models.SmallIntegerField(choices=[(0, "open"), (1, "frozen"), (2, "closed")]),
                ),
                ("available", models.IntegerField()),
                ("held", models.IntegerField()),
                ("debt", models.IntegerField()),
                ("seq", models.IntegerField()),
                ("buckets", models.JSONField()),
            ],
            options={
                "verbose_name": "credit account",
                "verbose_name_plural": "credit accounts",
                "db_table": '"ledger"."account_view"',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("op_id", models.UUIDField()),
                ("seq", models.IntegerField()),
                (
                    "kind",
                    models.SmallIntegerField(
                        choices=[
                            (1, "earn"),
                            (2, "spend"),
                            (3, "hold"),
                            (4, "capture"),
                            (5, "release"),
                            (6, "refund"),
                            (7, "expire"),
                            (8, "clawback"),
                            (9, "adjust"),
                        ]
                    ),
                ),
                (
                    "counter",
                    models.SmallIntegerField(
                        choices=[
                            (10, "purchases"),
                            (11, "welcome"),
                            (12, "check in"),
                            (13, "missions"),
                            (14, "referrals"),
                            (15, "campaigns"),
                            (20, "partners"),
                            (30, "benefits"),
                            (31, "shops"),
                            (50, "adjustments"),
                            (60, "opening"),
                            (90, "breakage"),
                        ]
                    ),
                ),
                ("available_change", models.IntegerField()),
                ("held_change", models.IntegerField()),
                ("debt_change", models.IntegerField()),
                ("available_after", models.IntegerField()),
                ("held_after", models.IntegerField()),
                ("debt_after", models.IntegerField()),
                ("day", models.DateField()),
                ("posted_at", models.DateTimeField()),
                ("occurred_at", models.DateTimeField(null=True)),
                ("orig_op", models.UUIDField(null=True)),
                ("reason", models.CharField(max_length=40)),
                ("related", models.CharField(max_length=40)),
            ],
            options={
                "verbose_name": "credit entry",
                "verbose_name_plural": "credit entries",
                "db_table": '"ledger"."entry_view"',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="HeldCredits",
            fields=[
                ("id", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("op_id", models.UUIDField()),
                ("amount", models.IntegerField()),
                ("captured", models.IntegerField()),
                (
                    "state",
                    models.SmallIntegerField(
                        choices=[(0, "held"), (1, "captured"), (2, "voided"), (3, "expired")]
                    ),
                ),
                (
                    "counter",
                    models.SmallIntegerField(
                        choices=[
                            (10, "purchases"),
                            (11, "welcome"),
                            (12, "check in"),
                            (13, "missions"),
                            (14, "referrals"),
                            (15, "campaigns"),
                            (20, "partners"),
                            (30, "benefits"),
                            (31, "shops"),
                            (50, "adjustments"),
                            (60, "opening"),
                            (90, "breakage"),
                        ]
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(max_length=40)),
                ("related", models.CharField(max_length=40)),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
                "db_table": '"ledger"."hold_view"',
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="EarnRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("purchase", "each purchase, by amount")],
                        default="purchase",
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "unit_amount",
                    models.PositiveIntegerField(verbose_name="for every (minor units)"),
                ),
                ("credits", models.PositiveIntegerField(verbose_name="credits")),
                (
                    "rounding",
                    models.CharField(
                        choices=[
                            ("down", "down"),
                            ("up", "up"),
                            ("nearest", "to the nearest, halves up"),
                        ],
                        default="down",
                        max_length=8,
                        verbose_name="rounding",
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True, verbose_name="starts")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "earn rule",
                "verbose_name_plural": "earn rules",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("unit_amount__gt", 0)),
                        name="credits_earnrule_unit_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at__isnull", True),
                            ("ends_at__isnull", True),
                            ("starts_at__lt", models.F("ends_at")),
                            _connector="OR",
                        ),
                        name="credits_earnrule_window_forward",
                    ),
                ],
            },
        ),
    ]
