from django.db import migrations, models


class Migration(migrations.Migration):
    """An alarm is told outside: by the row itself, which remembers what was heard."""

    dependencies = [("benefits", "0046_no_vain_ticket")]

    operations = [
        migrations.AddField(
            "alarm", "tell_number", models.PositiveIntegerField(default=0, db_default=0)
        ),
        migrations.AddField(
            "alarm", "told_number", models.PositiveIntegerField(default=0, db_default=0)
        ),
        migrations.AddField(
            "alarm", "told_at", models.DateTimeField(null=True, verbose_name="told outside")
        ),
        migrations.AddField(
            "alarm", "tell_at", models.DateTimeField(null=True, verbose_name="told again")
        ),
        migrations.AddField(
            "alarm",
            "tell_attempts",
            models.PositiveSmallIntegerField(default=0, db_default=0, verbose_name="attempts"),
        ),
        migrations.AddField(
            "alarm",
            "tell_fault",
            models.CharField(
                blank=True, db_default="", default="", max_length=80, verbose_name="why not told"
            ),
        ),
        migrations.AddIndex(
            "alarm",
            models.Index(
                condition=models.Q(("tell_at__isnull", False)),
                fields=["tell_at"],
                name="benefits_alarm_to_tell",
            ),
        ),
    ]
