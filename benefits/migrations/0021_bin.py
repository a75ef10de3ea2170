from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("benefits", "0020_holds_and_rescues"),
    ]

    operations = [
        migrations.AddField(
            model_name="benefit",
            name="binned_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="in the bin since"),
        ),
    ]
