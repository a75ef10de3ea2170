from django.db import migrations, models


class Migration(migrations.Migration):
    """Endings at providers are listed in the console: the newest first, with names of columns."""

    dependencies = [("benefits", "0033_provider_endings")]
    operations = [
        migrations.AlterModelOptions(
            name="providerending",
            options={
                "ordering": ["-created_at", "-pk"],
                "verbose_name": "ending at a provider",
                "verbose_name_plural": "endings at providers",
            },
        ),
        migrations.AlterField(
            model_name="providerending",
            name="created_at",
            field=models.DateTimeField(verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="providerending",
            name="next_attempt_at",
            field=models.DateTimeField(null=True, verbose_name="next attempt"),
        ),
    ]
