from pathlib import Path

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from zone.core.sql import run_sql_file

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    """Words that operators put on members, for rules that ask for them."""

    dependencies = [
        ("benefits", "0034_ending_names"),
        ("members", "0009_binding_apple_index"),
    ]
    operations = [
        migrations.CreateModel(
            name="MemberTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "tag",
                    models.CharField(
                        max_length=40,
                        validators=[django.core.validators.validate_slug],
                        verbose_name="tag",
                    ),
                ),
                ("added_by", models.CharField(max_length=80, verbose_name="added by")),
                ("added_at", models.DateTimeField(verbose_name="added")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "tag of a member",
                "verbose_name_plural": "tags of members",
                "indexes": [
                    models.Index(fields=["tag", "-id"], name="benefits_membertag_latest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("member", "tag"), name="benefits_membertag_once"
                    ),
                ],
            },
        ),
        run_sql_file(SQL / "tag_touches.sql"),
    ]
