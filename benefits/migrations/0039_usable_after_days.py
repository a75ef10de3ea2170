from pathlib import Path

from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """A benefit may be usable only so many days after it was claimed."""

    dependencies = [("benefits", "0038_rush_claim")]
    operations = [
        migrations.AddField(
            model_name="benefit",
            name="usable_after_days",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="usable after days"
            ),
        ),
        migrations.AddConstraint(
            model_name="benefit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("usable_after_days__isnull", True),
                    ("valid_days__isnull", True),
                    ("usable_after_days__lte", models.F("valid_days")),
                    _connector="OR",
                ),
                name="benefits_benefit_usable_before_its_end",
            ),
        ),
        run_sql_file(SQL / "slots.sql"),
        run_sql_file(SQL / "take_claim.sql"),
        run_sql_file(SQL / "rush.sql"),
    ]
