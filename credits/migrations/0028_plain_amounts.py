import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    """Amounts are typed as people write them: no name speaks of minor units."""

    dependencies = [
        ("credits", "0027_names"),
    ]

    operations = [
        migrations.AlterField(
            model_name="earnbonus",
            name="minimum_amount",
            field=models.PositiveBigIntegerField(default=0, verbose_name="from an amount of"),
        ),
        migrations.AlterField(
            model_name="earnrule",
            name="minimum_amount",
            field=models.PositiveBigIntegerField(default=0, verbose_name="from an amount of"),
        ),
        migrations.AlterField(
            model_name="earnrule",
            name="unit_amount",
            field=models.PositiveIntegerField(verbose_name="for every"),
        ),
        migrations.AlterField(
            model_name="mission",
            name="metric",
            field=models.CharField(
                choices=[
                    ("purchases", "purchases made"),
                    ("amount", "amount paid"),
                    ("check_ins", "days checked in"),
                ],
                max_length=9,
                verbose_name="counts",
            ),
        ),
        migrations.AlterField(
            model_name="unitcost",
            name="per_thousand",
            field=models.PositiveIntegerField(
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="cost of 1,000 credits",
            ),
        ),
    ]
