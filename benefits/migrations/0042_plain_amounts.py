from django.db import migrations, models


class Migration(migrations.Migration):
    """Amounts are typed as people write them: no name speaks of minor units."""

    dependencies = [
        ("benefits", "0041_group_gifts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="benefit",
            name="unit_cost",
            field=models.PositiveIntegerField(default=0, verbose_name="cost of one"),
        ),
        migrations.AlterField(
            model_name="budget",
            name="amount",
            field=models.PositiveBigIntegerField(verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="budget",
            name="spent",
            field=models.PositiveBigIntegerField(default=0, editable=False, verbose_name="spent"),
        ),
        migrations.AlterField(
            model_name="bundleitem",
            name="least_spent",
            field=models.PositiveBigIntegerField(default=0, verbose_name="ladder: from"),
        ),
        migrations.AlterField(
            model_name="redemption",
            name="discount",
            field=models.PositiveBigIntegerField(null=True, verbose_name="discount"),
        ),
        migrations.AlterField(
            model_name="redemption",
            name="order_amount",
            field=models.PositiveBigIntegerField(null=True, verbose_name="order amount"),
        ),
        migrations.AlterField(
            model_name="stampboard",
            name="minimum_amount",
            field=models.PositiveBigIntegerField(default=0, verbose_name="from an amount of"),
        ),
    ]
