"""Corrections by hand, with two people in them."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import zone.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0014_expiry_round"),
        ("members", "0007_binding_query_times"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AdjustRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "amount",
                    models.IntegerField(
                        help_text="Below zero takes credits away.", verbose_name="credits"
                    ),
                ),
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
                (
                    "op_id",
                    models.UUIDField(default=zone.core.ids.uuid7, editable=False, unique=True),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("applied", "applied"),
                            ("refused", "refused"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                (
                    "limit_used",
                    models.PositiveIntegerField(null=True, verbose_name="within a limit of"),
                ),
                ("created_at", models.DateTimeField(verbose_name="asked")),
                ("expires_at", models.DateTimeField(verbose_name="good until")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
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
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "adjustment",
                "verbose_name_plural": "adjustments",
                "ordering": ["-pk"],
                "permissions": [("approve_adjustrequest", "Can approve adjustments of others")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("checker", models.F("maker")), _negated=True),
                        name="credits_adjustrequest_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount", 0), _negated=True),
                            models.Q(("note", ""), _negated=True),
                        ),
                        name="credits_adjustrequest_sound",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "applied"), _negated=True),
                            ("checker__isnull", False),
                            models.Q(
                                (
                                    "amount__gte",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("limit_used"), "*", models.Value(-1)
                                    ),
                                ),
                                ("amount__lte", models.F("limit_used")),
                            ),
                            _connector="OR",
                        ),
                        name="credits_adjustrequest_entitled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("status", "waiting")),
                            models.Q(
                                models.Q(("status", "waiting"), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="credits_adjustrequest_decided",
                    ),
                ],
            },
        ),
    ]
