from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("benefits", "0008_gift_limits")]
    operations = [
        migrations.AddField(
            model_name="quota",
            name="time_zone",
            field=models.CharField(
                default="Asia/Shanghai", max_length=40, verbose_name="time zone"
            ),
        ),
        # Nothing was counted before this: the default fills no row.
        migrations.AddField(
            model_name="quotause",
            name="allowed",
            field=models.PositiveIntegerField(default=1),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="quotause",
            constraint=models.CheckConstraint(
                condition=models.Q(used__lte=models.F("allowed")), name="benefits_quotause_within"
            ),
        ),
    ]
