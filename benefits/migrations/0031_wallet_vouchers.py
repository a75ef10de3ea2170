from django.db import migrations, models


class Migration(migrations.Migration):
    """Wallets that keep vouchers, as providers: our number there, and two keys."""

    dependencies = [("benefits", "0030_claim_in_fewer_statements")]
    operations = [
        migrations.AddField(
            model_name="providerconfig",
            name="app_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=64,
                verbose_name="our number there",
            ),
        ),
        migrations.AddField(
            model_name="providerconfig",
            name="peer_key",
            field=models.TextField(
                blank=True, db_default="", default="", verbose_name="its public key"
            ),
        ),
        migrations.AlterField(
            model_name="providerconfig",
            name="kind",
            field=models.CharField(
                choices=[
                    ("http", "HTTP issuer"),
                    ("wallet", "wallet that keeps vouchers"),
                    ("sandbox", "sandbox issuer"),
                    ("test_wallet", "sandbox wallet that keeps vouchers"),
                ],
                default="http",
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="providerconfig",
            name="secret_sealed",
            field=models.BinaryField(default=b"", editable=False, max_length=4000),
        ),
        migrations.AddConstraint(
            model_name="benefit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_giftable", True), ("kind", "wallet_voucher"), _negated=True
                ),
                name="benefits_benefit_voucher_stays",
            ),
        ),
    ]
