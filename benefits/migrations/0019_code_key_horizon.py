from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("benefits", "0018_segments_and_trials")]
    operations = [
        migrations.AddField(
            model_name="codebatch",
            name="key_horizon",
            field=models.BigIntegerField(editable=False, null=True),
        ),
    ]
