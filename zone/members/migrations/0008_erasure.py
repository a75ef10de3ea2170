"""Forgetting a member, freezing one, and telling rooms above of bindings."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0007_binding_query_times"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("requested_at", models.DateTimeField(verbose_name="asked")),
                ("requested_by", models.CharField(max_length=150, verbose_name="by")),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("canceled_at", models.DateTimeField(null=True, verbose_name="called off")),
                ("begun_at", models.DateTimeField(null=True, verbose_name="begun")),
                (
                    "rooms_done",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
            ],
            options={
                "verbose_name": "erasure",
                "verbose_name_plural": "erasures",
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="binding",
            name="settled_status",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
        migrations.AddField(
            model_name="member",
            name="frozen_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="binding",
            index=models.Index(
                condition=models.Q(
                    ("status__in", ["active", "unbound", "expired"]),
                    models.Q(("settled_status", models.F("status")), _negated=True),
                ),
                fields=["id"],
                name="members_binding_unsettled",
            ),
        ),
        migrations.AddField(
            model_name="erasure",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="erasures",
                to="members.member",
            ),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(
                condition=models.Q(("canceled_at__isnull", True), ("done_at__isnull", True)),
                fields=["due_at"],
                name="members_erasure_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.UniqueConstraint(
                condition=models.Q(("canceled_at__isnull", True)),
                fields=("member",),
                name="members_erasure_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("canceled_at__isnull", True), ("begun_at__isnull", True), _connector="OR"
                ),
                name="members_erasure_no_way_back",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("done_at__isnull", True), ("begun_at__isnull", False), _connector="OR"
                ),
                name="members_erasure_begun_first",
            ),
        ),
        # Bindings that stand already began long ago: nobody has to act upon them.
        migrations.RunSQL(
            "UPDATE members_binding SET settled_status = status WHERE status = 'active'",
            migrations.RunSQL.noop,
        ),
    ]
