"""How far the telling of what ends soon has come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credits", "0013_first_missions")]
    operations = [
        migrations.CreateModel(
            name="ExpiryRound",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("zone", models.PositiveSmallIntegerField()),
                ("month", models.PositiveSmallIntegerField()),
                ("days_before", models.PositiveSmallIntegerField()),
                ("last_member_id", models.BigIntegerField(default=0)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("zone", "month", "days_before"), name="credits_expiryround_once"
                    )
                ]
            },
        ),
    ]
