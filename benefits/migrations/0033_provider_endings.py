import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What was taken away here and a provider still keeps, until it has ended there."""

    dependencies = [("benefits", "0032_fewer_indexes")]
    operations = [
        migrations.CreateModel(
            name="ProviderEnding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(default=0, verbose_name="attempts"),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True, default="", max_length=40, verbose_name="what became of it"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("next_attempt_at", models.DateTimeField(null=True)),
                (
                    "claim",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="provider_ending",
                        to="benefits.claim",
                    ),
                ),
            ],
            options={
                "verbose_name": "ending at a provider",
                "verbose_name_plural": "endings at providers",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["next_attempt_at"],
                        name="benefits_providerending_due",
                    )
                ],
            },
        ),
    ]
