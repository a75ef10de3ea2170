from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("benefits", "0023_code_key_horizon")]
    operations = [
        migrations.AddField(
            model_name="codeimportfault",
            name="sealed",
            field=models.BinaryField(editable=False, null=True),
        ),
    ]
