"""The first track: ten credits a day, fifty on the seventh."""

from django.db import migrations

REWARDS = [10, 10, 10, 10, 10, 10, 50]


def add_track(apps, schema_editor):
    track_model = apps.get_model("credits", "CheckInTrack")
    if not track_model.objects.exists():
        track_model.objects.create(name="Seven days", rewards=REWARDS)


class Migration(migrations.Migration):
    dependencies = [("credits", "0004_check_in")]
    operations = [migrations.RunPython(add_track, migrations.RunPython.noop)]
