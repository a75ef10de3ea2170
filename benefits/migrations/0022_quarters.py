from pathlib import Path

from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("benefits", "0021_bin"),
    ]

    operations = [
        migrations.AlterField(
            model_name="quota",
            name="period",
            field=models.CharField(
                choices=[
                    ("total", "ever"),
                    ("quarter", "a calendar quarter"),
                    ("month", "a calendar month"),
                    ("week", "a week, from Monday"),
                    ("day", "a day"),
                    ("hour", "an hour"),
                    ("cooldown", "once, then a pause"),
                ],
                max_length=8,
                verbose_name="counted over",
            ),
        ),
        run_sql_file(SQL / "quotas.sql"),
    ]
