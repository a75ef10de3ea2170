from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
MODES = [
    ("codes", "codes in hand"),
    ("provider", "a provider, at claim time"),
    ("credits", "credits, at once"),
    ("draw", "an entry in a draw, at once"),
]
DROP = """
DROP TRIGGER IF EXISTS guard_entries ON benefits_drawentry;
DROP FUNCTION IF EXISTS benefits_guard_entries();
DROP FUNCTION IF EXISTS benefits_enter_by_ticket(bigint, bigint, bigint, uuid, timestamptz);
DROP FUNCTION IF EXISTS benefits_enterable_draw(text);
"""


class Migration(migrations.Migration):
    """A ticket is a claim that is an entry: of those one member has as many as they hold."""

    dependencies = [("benefits", "0044_rush_again")]

    operations = [
        migrations.AlterField(
            model_name="claim",
            name="mode",
            field=models.CharField(choices=MODES, max_length=8),
        ),
        migrations.AlterField(
            model_name="dropschedule",
            name="mode",
            field=models.CharField(
                choices=MODES, default="provider", max_length=8, verbose_name="source"
            ),
        ),
        migrations.AlterField(
            model_name="release",
            name="mode",
            field=models.CharField(choices=MODES, max_length=8, verbose_name="source"),
        ),
        migrations.AddField(
            model_name="fairdraw",
            name="entry_by",
            field=models.CharField(
                choices=[
                    ("member", "everyone once, by asking"),
                    ("ticket", "by ticket only, once for each"),
                ],
                db_default="member",
                default="member",
                max_length=8,
                verbose_name="how one enters",
            ),
        ),
        migrations.AddField(
            model_name="drawentry",
            name="ticket",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ticket_entry",
                to="benefits.claim",
            ),
        ),
        migrations.RemoveConstraint(model_name="drawentry", name="benefits_drawentry_once"),
        migrations.AddConstraint(
            model_name="drawentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ticket__isnull", True)),
                fields=("draw", "member"),
                name="benefits_drawentry_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="benefit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "draw_ticket"), _negated=True),
                    models.Q(
                        ("is_giftable", False),
                        ("requires_adult", True),
                        ("usable_after_days__isnull", True),
                        ("usable_from__isnull", True),
                        ("usable_until__isnull", True),
                        ("valid_days__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="benefits_benefit_ticket_for_its_draw",
            ),
        ),
        run_sql_file(SQL / "tickets.sql", DROP),
        run_sql_file(SQL / "take_claim.sql"),
    ]
