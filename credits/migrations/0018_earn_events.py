"""Rules for what is no purchase, and who invited whom."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0017_standing"),
        ("members", "0008_erasure"),
    ]

    operations = [
        migrations.CreateModel(
            name="EarnEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=12, verbose_name="kind")),
                ("source", models.CharField(max_length=80, verbose_name="source")),
                ("on", models.DateField(verbose_name="day")),
                ("occurred_at", models.DateTimeField(verbose_name="happened")),
                ("credits", models.PositiveIntegerField(verbose_name="credits")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("earned", "earned"),
                            ("no_rule", "no rule applies"),
                            ("too_small", "too small for one credit"),
                            ("trimmed", "trimmed by a cap"),
                            ("capped", "the cap was used up"),
                            ("rejected", "above the cap of a purchase"),
                            ("closed", "the account is closed"),
                        ],
                        max_length=9,
                        verbose_name="reason",
                    ),
                ),
                ("parts", models.JSONField(default=list)),
                (
                    "trimmed",
                    models.PositiveIntegerField(default=0, verbose_name="taken off by a cap"),
                ),
                ("cap", models.CharField(blank=True, max_length=6, verbose_name="cap")),
                ("op_id", models.UUIDField(editable=False, null=True)),
                ("taken", models.PositiveIntegerField(default=0, verbose_name="taken back")),
                ("decided_at", models.DateTimeField(verbose_name="decided")),
            ],
            options={
                "verbose_name": "earn event",
                "verbose_name_plural": "earn events",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="members.member",
                    ),
                ),
                ("code", models.CharField(max_length=12, unique=True, verbose_name="code")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "friend",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="members.member",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting for the first purchase"),
                            ("bought", "bought something"),
                            ("refused", "was a customer before"),
                            ("refunded", "purchase refunded"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("accepted_at", models.DateTimeField(verbose_name="accepted")),
                ("charge_id", models.UUIDField(editable=False, null=True)),
                ("settled_at", models.DateTimeField(null=True, verbose_name="settled")),
            ],
            options={
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
                "ordering": ["-accepted_at"],
            },
        ),
        migrations.AddField(
            model_name="earnrule",
            name="every",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=1,
                help_text="For streaks: 7 gives on the 7th day, the 14th and so on.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="every",
            ),
        ),
        migrations.AlterField(
            model_name="earnrule",
            name="currency",
            field=models.CharField(
                blank=True,
                help_text="For what is no purchase: the wallet’s currency, or empty for all wallets.",
                max_length=3,
                verbose_name="currency",
            ),
        ),
        migrations.AlterField(
            model_name="earnrule",
            name="kind",
            field=models.CharField(
                choices=[
                    ("purchase", "each purchase"),
                    ("first", "a member's first purchase, on top"),
                    ("renewal", "renewals of subscriptions, on top"),
                    ("binding", "linking the wallet for the first time"),
                    ("mission", "a mission, on top of its reward"),
                    ("streak", "days of a check-in streak, on top"),
                    ("referral", "a friend’s first purchase"),
                ],
                default="purchase",
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="earnrule",
            name="service",
            field=models.CharField(
                blank=True,
                help_text="For a mission: its address.",
                max_length=60,
                verbose_name="service",
            ),
        ),
        migrations.AddConstraint(
            model_name="earnrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("currency", ""), _negated=True),
                    ("kind__in", ["binding", "mission", "streak", "referral"]),
                    _connector="OR",
                ),
                name="credits_earnrule_purchase_has_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="earnrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_flat", True),
                    models.Q(
                        ("kind__in", ["binding", "mission", "streak", "referral"]), _negated=True
                    ),
                    _connector="OR",
                ),
                name="credits_earnrule_event_is_flat",
            ),
        ),
        migrations.AddConstraint(
            model_name="earnrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("every__gte", 1), models.Q(("every", 1), ("kind", "streak"), _connector="OR")
                ),
                name="credits_earnrule_every_of_streak",
            ),
        ),
        migrations.AddField(
            model_name="earnevent",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="referral",
            name="inviter",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
            ),
        ),
        migrations.AddIndex(
            model_name="earnevent",
            index=models.Index(fields=["member", "on"], name="credits_earnevent_usage"),
        ),
        migrations.AddConstraint(
            model_name="earnevent",
            constraint=models.UniqueConstraint(
                fields=("member", "kind", "source"), name="credits_earnevent_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="earnevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credits", 0), ("op_id__isnull", True)),
                    models.Q(("credits__gt", 0), ("op_id__isnull", False)),
                    _connector="OR",
                ),
                name="credits_earnevent_paid_by_op",
            ),
        ),
        migrations.AddConstraint(
            model_name="earnevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("taken__lte", models.F("credits"))),
                name="credits_earnevent_taken_within",
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                fields=["inviter", "-accepted_at"], name="credits_referral_of_inviter"
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("charge_id__isnull", False)),
                fields=["charge_id"],
                name="credits_referral_charge",
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(("friend", models.F("inviter")), _negated=True),
                name="credits_referral_not_oneself",
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("charge_id__isnull", True), ("state", "waiting")),
                    models.Q(
                        models.Q(("state", "waiting"), _negated=True), ("charge_id__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="credits_referral_settled_by_charge",
            ),
        ),
    ]
