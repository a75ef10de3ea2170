"""Where partners listen, and what was sent there."""

import functools

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import zone.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0001_squashed_0003_reference_member"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
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
                        default=functools.partial(zone.core.ids.new_public_id, *("whe",), **{}),
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                ("livemode", models.BooleanField(verbose_name="live mode")),
                ("url", models.CharField(max_length=500, verbose_name="address")),
                (
                    "description",
                    models.CharField(blank=True, max_length=200, verbose_name="description"),
                ),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        size=None,
                        verbose_name="event types",
                    ),
                ),
                (
                    "api_version",
                    models.CharField(default="2026-11-01", max_length=10, verbose_name="version"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("enabled", "enabled"),
                            ("disabled", "disabled"),
                            ("paused", "paused"),
                        ],
                        default="enabled",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "status_reason",
                    models.CharField(blank=True, max_length=40, verbose_name="reason"),
                ),
                ("secret_sealed", models.BinaryField()),
                ("previous_secret_sealed", models.BinaryField(null=True)),
                ("previous_secret_until", models.DateTimeField(null=True)),
                ("last_success_at", models.DateTimeField(null=True, verbose_name="last success")),
                ("failing_since", models.DateTimeField(null=True, verbose_name="failing since")),
                ("resting_until", models.DateTimeField(null=True)),
                ("paused_at", models.DateTimeField(null=True, verbose_name="paused at")),
                (
                    "contact_told_at",
                    models.DateTimeField(null=True, verbose_name="contact told at"),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("deleted_at", models.DateTimeField(null=True, verbose_name="deleted at")),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhook_endpoints",
                        to="partners.partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook endpoint",
                "verbose_name_plural": "webhook endpoints",
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
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
                        default=functools.partial(zone.core.ids.new_public_id, *("whd",), **{}),
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                ("livemode", models.BooleanField(verbose_name="live mode")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "waiting"),
                            ("delivered", "delivered"),
                            ("failed", "failed"),
                        ],
                        default="pending",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("is_replay", models.BooleanField(default=False, verbose_name="sent again")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                ("due_at", models.DateTimeField(null=True, verbose_name="next try")),
                ("leased_until", models.DateTimeField(null=True)),
                ("attempts", models.JSONField(default=list, verbose_name="attempts")),
                ("occurred_at", models.DateTimeField(verbose_name="event at")),
                ("created_at", models.DateTimeField(verbose_name="planned at")),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="partners.event",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.partner",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="partners.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
            },
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(
                condition=models.Q(("deleted_at", None)),
                fields=["partner", "livemode"],
                name="partners_endpoint_open",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["endpoint", "due_at"],
                name="partners_delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["partner", "livemode", "-id"], name="partners_delivery_own"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["endpoint", "-id"], name="partners_delivery_list"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                fields=["endpoint", "state", "-id"], name="partners_delivery_states"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["occurred_at"], name="partners_delivery_age"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("event", "endpoint"), name="partners_delivery_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", False), ("state", "pending")),
                    models.Q(
                        models.Q(("state", "pending"), _negated=True),
                        ("due_at", None),
                        ("leased_until", None),
                    ),
                    _connector="OR",
                ),
                name="partners_delivery_waits_or_ended",
            ),
        ),
    ]
