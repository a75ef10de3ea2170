from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("benefits", "0022_quarters")]
    operations = [
        migrations.AddField(
            model_name="codebatch",
            name="key_horizon",
            field=models.BigIntegerField(editable=False, null=True),
        ),
    ]
