"""Which Apple account a binding pays for, as a keyed hash."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0008_erasure")]
    operations = [
        migrations.AddField(
            model_name="binding",
            name="apple_index",
            field=models.BinaryField(editable=False, max_length=32, null=True),
        ),
    ]
