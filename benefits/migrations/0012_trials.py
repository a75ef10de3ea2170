import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("benefits", "0011_life_functions"),
        ("history", "0002_refund_key_is_counted"),
        ("members", "0007_binding_query_times"),
    ]

    operations = [
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("service", models.CharField(max_length=24, verbose_name="service")),
                ("plan", models.CharField(blank=True, max_length=120, verbose_name="plan")),
                ("starts_at", models.DateTimeField(verbose_name="started")),
                ("first_charge_at", models.DateTimeField(verbose_name="first charge")),
                ("price", models.BigIntegerField(null=True, verbose_name="price")),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                (
                    "lead_days",
                    models.PositiveSmallIntegerField(
                        default=3, verbose_name="reminder, days before"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("kept", "kept"),
                            ("left", "left in time"),
                            ("unseen", "no charge seen"),
                        ],
                        default="running",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                (
                    "is_canceled",
                    models.BooleanField(default=False, verbose_name="cancelled at Apple"),
                ),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("reminded_at", models.DateTimeField(null=True, verbose_name="reminded")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                ("charge_id", models.UUIDField(editable=False, null=True)),
                ("charged", models.BigIntegerField(null=True, verbose_name="charged")),
                (
                    "claim",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trial",
                        to="benefits.claim",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trials",
                        to="members.member",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="history.subscription",
                    ),
                ),
            ],
            options={
                "verbose_name": "trial",
                "verbose_name_plural": "trials",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "running")),
                        fields=["next_attempt_at"],
                        name="benefits_trial_due",
                    ),
                    models.Index(fields=["member", "-id"], name="benefits_trial_of_member"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("lead_days__in", [1, 3, 7])), name="benefits_trial_lead"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("next_attempt_at__isnull", False), ("state", "running")),
                            models.Q(
                                models.Q(("state", "running"), _negated=True),
                                ("next_attempt_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="benefits_trial_waits_only_running",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first_charge_at__gt", models.F("starts_at"))),
                        name="benefits_trial_has_length",
                    ),
                ],
            },
        ),
    ]
