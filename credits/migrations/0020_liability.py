"""The months that the liability is read from, and what credits cost."""

from pathlib import Path

import django.core.validators
from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"
REVERSE = """
    DROP INDEX ledger.hold_open;
    DROP FUNCTION ledger.roll_flows, ledger.flows;
    DROP TABLE ledger.flow_mark, ledger.month_flow;
"""


class Migration(migrations.Migration):
    dependencies = [("credits", "0019_batches")]
    operations = [
        run_sql_file(SQL / "liability.sql", reverse=REVERSE),
        migrations.CreateModel(
            name="UnitCost",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "funder",
                    models.SmallIntegerField(
                        choices=[(0, "promotional"), (1, "paid")], verbose_name="funder"
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "per_thousand",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="cost of 1,000 credits, minor units",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="from")),
            ],
            options={
                "verbose_name": "unit cost",
                "verbose_name_plural": "unit costs",
                "ordering": ["currency", "funder", "-starts_on"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("funder", "currency", "starts_on"), name="credits_unitcost_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                        name="credits_unitcost_currency",
                    ),
                ],
            },
        ),
    ]
