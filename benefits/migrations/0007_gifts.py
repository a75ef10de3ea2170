import functools

import django.db.models.deletion
from django.db import migrations, models

import zone.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("benefits", "0006_claim_life"),
        ("members", "0007_binding_query_times"),
    ]

    operations = [
        migrations.CreateModel(
            name="Gift",
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
                        default=functools.partial(zone.core.ids.new_public_id, *("gft",), **{}),
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
                            ("scheduled", "scheduled"),
                            ("delivered", "delivered"),
                            ("opened", "opened"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                            ("recalled", "called back"),
                            ("returned", "returned"),
                            ("stopped", "stopped by an operator"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
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
                ("thanks", models.CharField(blank=True, max_length=50, verbose_name="thanks")),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("token_sealed", models.BinaryField(default=b"", max_length=120)),
                ("deliver_at", models.DateTimeField(verbose_name="delivery")),
                ("time_zone", models.CharField(max_length=40, verbose_name="time zone")),
                ("returns_at", models.DateTimeField(verbose_name="goes back")),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("frozen_at", models.DateTimeField()),
                ("claim_valid_until", models.DateTimeField(null=True)),
                ("sent_on", models.DateField()),
                ("nth", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("thanked_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "gift",
                "verbose_name_plural": "gifts",
            },
        ),
        migrations.CreateModel(
            name="GiftBlock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("signed_by", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "gift block",
                "verbose_name_plural": "gift blocks",
            },
        ),
        migrations.RemoveConstraint(
            model_name="claim",
            name="benefits_claim_nth_once",
        ),
        migrations.AddField(
            model_name="benefit",
            name="gift_counts_to_limit",
            field=models.BooleanField(default=False, verbose_name="a gift counts to the limit"),
        ),
        migrations.AddField(
            model_name="benefit",
            name="is_giftable",
            field=models.BooleanField(default=True, verbose_name="can be given away"),
        ),
        migrations.AddField(
            model_name="claim",
            name="counts_to_limit",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="claim",
            name="frozen_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("counts_to_limit", True),
                    models.Q(("holds_slot", True), ("state", "gifted"), _connector="OR"),
                ),
                fields=("release", "member", "nth"),
                name="benefits_claim_nth_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("frozen_at__isnull", True),
                    models.Q(
                        ("holds_slot", True),
                        ("revealed_at__isnull", True),
                        ("state", "granted"),
                        ("valid_until__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="benefits_claim_frozen_whole",
            ),
        ),
        migrations.AddField(
            model_name="gift",
            name="claim",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gifts",
                to="benefits.claim",
            ),
        ),
        migrations.AddField(
            model_name="gift",
            name="giver",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gifts_given",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="gift",
            name="received_claim",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="came_as_gift",
                to="benefits.claim",
            ),
        ),
        migrations.AddField(
            model_name="gift",
            name="receiver",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gifts_received",
                to="members.member",
            ),
        ),
        migrations.AddField(
            model_name="giftblock",
            name="giver",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="members.member"
            ),
        ),
        migrations.AddField(
            model_name="giftblock",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="gift_blocks",
                to="members.member",
            ),
        ),
        migrations.AddIndex(
            model_name="gift",
            index=models.Index(
                condition=models.Q(("state__in", ["scheduled", "delivered", "opened"])),
                fields=["next_attempt_at"],
                name="benefits_gift_due",
            ),
        ),
        migrations.AddIndex(
            model_name="gift",
            index=models.Index(fields=["giver", "-id"], name="benefits_gift_given"),
        ),
        migrations.AddIndex(
            model_name="gift",
            index=models.Index(
                condition=models.Q(("receiver__isnull", False)),
                fields=["receiver", "-id"],
                name="benefits_gift_received",
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.UniqueConstraint(
                fields=("giver", "op_id"), name="benefits_gift_op_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["scheduled", "delivered", "opened"])),
                fields=("claim",),
                name="benefits_gift_one_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.UniqueConstraint(
                fields=("giver", "sent_on", "nth"), name="benefits_gift_number_of_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.CheckConstraint(
                condition=models.Q(("nth__gte", 1), ("nth__lte", 5)),
                name="benefits_gift_within_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("receiver__isnull", True),
                    models.Q(("receiver", models.F("giver")), _negated=True),
                    _connector="OR",
                ),
                name="benefits_gift_not_to_oneself",
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("next_attempt_at__isnull", False),
                        ("state__in", ["scheduled", "delivered", "opened"]),
                    ),
                    models.Q(
                        models.Q(
                            ("state__in", ["scheduled", "delivered", "opened"]), _negated=True
                        ),
                        ("next_attempt_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="benefits_gift_waits_only_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("receiver__isnull", True),
                        ("state__in", ["scheduled", "delivered", "recalled"]),
                    ),
                    models.Q(
                        ("receiver__isnull", False),
                        ("state__in", ["opened", "accepted", "declined"]),
                    ),
                    ("state__in", ["returned", "stopped"]),
                    _connector="OR",
                ),
                name="benefits_gift_receiver_by_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("received_claim__isnull", False), ("state", "accepted")),
                    models.Q(
                        models.Q(("state", "accepted"), _negated=True),
                        ("received_claim__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="benefits_gift_moved_when_accepted",
            ),
        ),
        migrations.AddConstraint(
            model_name="giftblock",
            constraint=models.UniqueConstraint(
                fields=("member", "giver"), name="benefits_giftblock_once"
            ),
        ),
    ]
