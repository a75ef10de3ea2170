"""Something that operators tell many members at once."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0008_erasure"),
        ("notices", "0001_first"),
    ]

    operations = [
        migrations.CreateModel(
            name="Announcement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("titles", models.JSONField(verbose_name="titles by language")),
                ("bodies", models.JSONField(verbose_name="texts by language")),
                (
                    "link",
                    models.CharField(default="/benefits", max_length=200, verbose_name="link"),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("marketing", "advertises: only to those who agreed"),
                            ("service", "about the service: to everybody"),
                        ],
                        default="marketing",
                        max_length=9,
                        verbose_name="purpose",
                    ),
                ),
                ("publish_at", models.DateTimeField(verbose_name="not before")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("stopped", "stopped"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                (
                    "sent_by",
                    models.CharField(
                        blank=True, editable=False, max_length=150, verbose_name="sent by"
                    ),
                ),
                ("last_member_id", models.BigIntegerField(default=0, editable=False)),
                (
                    "told_count",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="members told"
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="finished"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "wallet",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.wallet",
                        verbose_name="wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "announcement",
                "verbose_name_plural": "announcements",
                "ordering": ["-pk"],
                "permissions": [("send_announcement", "Can send and stop announcements")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "sending")),
                        fields=["publish_at"],
                        name="notices_announcement_open",
                    )
                ],
            },
        ),
    ]
