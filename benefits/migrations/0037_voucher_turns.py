from pathlib import Path

import django.core.validators
import django.db.models.functions.comparison
from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """Vouchers whose turn it is are found by an index; a lease is taken in one place."""

    dependencies = [
        ("benefits", "0036_wishes"),
        ("members", "0010_wallet_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="providerconfig",
            name="questions_per_second",
            field=models.PositiveSmallIntegerField(
                db_default=20,
                default=20,
                help_text="How often we may ask about vouchers that it keeps.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="questions a second at most",
            ),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(
                condition=models.Q(
                    ("mode", "provider"), ("provider_status", "issued"), ("state", "granted")
                ),
                fields=["release", "id"],
                name="benefits_claim_voucher",
            ),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(
                models.F("release"),
                django.db.models.functions.comparison.Coalesce("ended_at", "redeemed_at"),
                condition=models.Q(
                    ("mode", "provider"),
                    ("provider_status", "issued"),
                    ("state__in", ["redeemed", "returned", "revoked"]),
                ),
                name="benefits_claim_voucher_ended",
            ),
        ),
        run_sql_file(SQL / "lease.sql"),
    ]
