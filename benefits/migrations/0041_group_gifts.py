import functools
from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import zone.core.ids
from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """A gift may be paid for by friends together, and its unit is held for it meanwhile."""

    dependencies = [
        ("benefits", "0040_wish_calls"),
        ("members", "0010_wallet_names"),
    ]

    operations = [
        migrations.CreateModel(
            name="GroupGift",
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
                        default=functools.partial(zone.core.ids.new_public_id, *("ggf",), **{}),
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                ("op_id", models.UUIDField(editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("collecting", "collecting"),
                            ("complete", "complete"),
                            ("called_off", "called off"),
                            ("ended", "not complete in time"),
                            ("refused", "could not be claimed"),
                            ("returned", "came back unopened"),
                        ],
                        default="collecting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("price_credits", models.PositiveIntegerField(verbose_name="price")),
                ("collected", models.PositiveIntegerField(default=0, verbose_name="collected")),
                (
                    "return_percent",
                    models.PositiveSmallIntegerField(verbose_name="share that comes back"),
                ),
                (
                    "theme",
                    models.CharField(
                        choices=[
                            ("pink", "Blossom"),
                            ("blue", "Sky"),
                            ("violet", "Night market"),
                            ("mint", "Spring"),
                        ],
                        default="pink",
                        max_length=6,
                        verbose_name="card",
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=50, verbose_name="words")),
                ("signed_by", models.CharField(blank=True, max_length=20, verbose_name="from")),
                ("receiver_name", models.CharField(blank=True, max_length=20, verbose_name="for")),
                ("deliver_at", models.DateTimeField(null=True, verbose_name="delivery")),
                ("time_zone", models.CharField(max_length=40, verbose_name="time zone")),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("token_sealed", models.BinaryField(default=b"", max_length=120)),
                ("started_on", models.DateField()),
                ("nth", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField(verbose_name="started")),
                ("ends_at", models.DateTimeField(verbose_name="ends")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                ("failure_code", models.CharField(blank=True, max_length=40, verbose_name="why")),
                (
                    "closed_by",
                    models.CharField(blank=True, max_length=80, verbose_name="called off by"),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "claim",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="group_gift",
                        to="benefits.claim",
                    ),
                ),
                (
                    "gift",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="group_gift",
                        to="benefits.gift",
                    ),
                ),
                (
                    "place",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="group_gift",
                        to="benefits.waitlistentry",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="group_gifts",
                        to="benefits.release",
                    ),
                ),
                (
                    "starter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="groups_started",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "gift with friends",
                "verbose_name_plural": "gifts with friends",
                "permissions": [("call_off_groupgift", "Can call a gift with friends off")],
            },
        ),
        migrations.CreateModel(
            name="GroupPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("op_id", models.UUIDField(editable=False)),
                ("capture_op", models.UUIDField(editable=False, null=True)),
                ("amount", models.PositiveIntegerField(verbose_name="credits")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "set aside"),
                            ("taken", "taken"),
                            ("released", "given back"),
                        ],
                        default="held",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("signed_by", models.CharField(blank=True, max_length=20)),
                ("refunded", models.PositiveIntegerField(default=0, verbose_name="came back")),
                ("created_at", models.DateTimeField(verbose_name="put in")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="benefits.groupgift",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="group_parts",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "part of a gift",
                "verbose_name_plural": "parts of gifts",
            },
        ),
        migrations.AddIndex(
            model_name="groupgift",
            index=models.Index(
                condition=models.Q(("state", "collecting")),
                fields=["ends_at"],
                name="benefits_groupgift_due",
            ),
        ),
        migrations.AddIndex(
            model_name="groupgift",
            index=models.Index(fields=["starter", "-id"], name="benefits_groupgift_started"),
        ),
        migrations.AddConstraint(
            model_name="groupgift",
            constraint=models.UniqueConstraint(
                fields=("starter", "op_id"), name="benefits_groupgift_op_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="groupgift",
            constraint=models.UniqueConstraint(
                fields=("starter", "started_on", "nth"), name="benefits_groupgift_number_of_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="groupgift",
            constraint=models.CheckConstraint(
                condition=models.Q(("nth__gte", 1), ("nth__lte", 5)),
                name="benefits_groupgift_within_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupgift",
            constraint=models.CheckConstraint(
                condition=models.Q(("collected__lte", models.F("price_credits"))),
                name="benefits_groupgift_within_price",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupgift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("state", "collecting")),
                    models.Q(
                        models.Q(("state", "collecting"), _negated=True),
                        ("closed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="benefits_groupgift_open_or_closed",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupgift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("claim__isnull", False),
                        ("collected", models.F("price_credits")),
                        ("gift__isnull", False),
                        ("state__in", ["complete", "returned"]),
                    ),
                    models.Q(
                        models.Q(("state__in", ["complete", "returned"]), _negated=True),
                        ("claim__isnull", True),
                        ("gift__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="benefits_groupgift_whole_or_nothing",
            ),
        ),
        migrations.AddIndex(
            model_name="grouppart",
            index=models.Index(fields=["member", "-id"], name="benefits_grouppart_of_member"),
        ),
        migrations.AddConstraint(
            model_name="grouppart",
            constraint=models.UniqueConstraint(
                fields=("member", "op_id"), name="benefits_grouppart_op_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="grouppart",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 1), ("refunded__lte", models.F("amount"))),
                name="benefits_grouppart_amounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="grouppart",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("capture_op__isnull", False), ("state", "taken")),
                    models.Q(
                        models.Q(("state", "taken"), _negated=True),
                        ("capture_op__isnull", True),
                        ("refunded", 0),
                    ),
                    _connector="OR",
                ),
                name="benefits_grouppart_taken_by_an_entry",
            ),
        ),
        run_sql_file(SQL / "take_claim.sql"),
    ]
