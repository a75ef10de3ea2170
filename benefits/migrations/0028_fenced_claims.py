from pathlib import Path

from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """A claim over which workers die is leased alone, and an operator is called."""

    dependencies = [("benefits", "0027_reveal_with_claim")]
    # Each function has one text, the newest: going back keeps it.
    operations = [
        migrations.AlterField(
            model_name="alarm",
            name="kind",
            field=models.CharField(
                choices=[
                    ("provider_silent", "a provider does not say what became of an order"),
                    ("provider_code", "a provider gave another code than before"),
                    ("provider_statement", "a provider's statement differs from ours"),
                    ("worker_lost", "workers die over a claim"),
                    ("pool_low", "codes are running out"),
                    ("pool_ending", "codes end before they are given out"),
                    ("code_reported", "a member says a code does not work"),
                    ("batch_aside", "a batch of codes was set aside"),
                    ("code_unreadable", "a code does not open"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        run_sql_file(SQL / "lease.sql"),
    ]
