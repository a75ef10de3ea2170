from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_clock"),
    ]

    operations = [
        migrations.CreateModel(
            name="StuckRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("work", models.CharField(max_length=60, verbose_name="work")),
                ("row", models.CharField(max_length=80, verbose_name="row")),
                ("error", models.CharField(max_length=300, verbose_name="error")),
                ("count", models.PositiveIntegerField(default=1, verbose_name="times")),
                ("first_at", models.DateTimeField(verbose_name="first")),
                ("last_at", models.DateTimeField(verbose_name="last")),
                ("retry_at", models.DateTimeField(verbose_name="tried again")),
            ],
            options={
                "verbose_name": "stuck row",
                "verbose_name_plural": "stuck rows",
                "ordering": ["-last_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("work", "row"), name="core_stuckrow_one")
                ],
            },
        ),
    ]
