"""The first missions: pay three times a month, check in five days a week."""

from django.db import connection, migrations

MISSIONS = [
    ("three-purchases", "purchases", 3, "month", 60,
     {"en": "Pay Apple three times this month", "zh-hans": "本月完成 3 笔 Apple 付款"}),
    ("five-check-ins", "check_ins", 5, "week", 20,
     {"en": "Check in on five days this week", "zh-hans": "本周签到 5 天"}),
]  # fmt: skip


def add_missions(apps, schema_editor):
    model = apps.get_model("credits", "Mission")
    if model.objects.exists():
        return
    with connection.cursor() as cursor:
        # Not earlier: purchases of long ago, imported later, would finish months long gone.
        cursor.execute("SELECT date_trunc('month', zone_now())")
        starts_at = cursor.fetchone()[0]
    for slug, metric, target, period, reward, names in MISSIONS:
        model.objects.create(
            slug=slug, metric=metric, target=target, period=period, reward=reward, names=names,
            starts_at=starts_at,
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("credits", "0012_missions")]
    operations = [migrations.RunPython(add_missions, migrations.RunPython.noop)]
