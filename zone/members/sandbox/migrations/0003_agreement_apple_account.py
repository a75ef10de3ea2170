"""The Apple account that a test person's agreement pays for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0002_person_note")]
    operations = [
        migrations.AddField(
            model_name="sandboxagreement",
            name="apple_account",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
