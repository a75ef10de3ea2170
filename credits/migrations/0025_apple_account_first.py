"""What an Apple account brought somebody first."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credits", "0024_unadjust"), ("members", "0009_binding_apple_index")]
    operations = [
        migrations.CreateModel(
            name="AppleAccountFirst",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("apple_index", models.BinaryField(editable=False, max_length=32)),
                (
                    "what",
                    models.CharField(
                        choices=[("link", "link"), ("purchase", "purchase")], max_length=8
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "first of an Apple account",
                "verbose_name_plural": "firsts of Apple accounts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("apple_index", "what"), name="credits_appleaccountfirst_once"
                    )
                ],
            },
        ),
    ]
