"""Finding what a partner said about a member who is to be forgotten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("partners", "0002_ingest_client")]
    operations = [
        migrations.AddIndex(
            model_name="partnerreference",
            index=models.Index(fields=["member_id"], name="partners_reference_member"),
        ),
    ]
