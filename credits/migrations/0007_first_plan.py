"""The first plan: four tiers by the calendar year."""

from django.db import migrations

TIERS = [
    ("silver", 0, {"en": "Silver", "zh-hans": "银星", "zh-hant": "銀星", "fil": "Silver"}),
    ("gold", 2000, {"en": "Gold", "zh-hans": "金星", "zh-hant": "金星", "fil": "Gold"}),
    ("platinum", 4000, {"en": "Platinum", "zh-hans": "铂星", "zh-hant": "鉑星", "fil": "Platinum"}),
    ("diamond", 8000, {"en": "Diamond", "zh-hans": "钻星", "zh-hant": "鑽星", "fil": "Diamond"}),
]


def add_plan(apps, schema_editor):
    if apps.get_model("credits", "TierPlan").objects.exists():
        return
    plan = apps.get_model("credits", "TierPlan").objects.create(name="Stars by the year")
    for code, threshold, names in TIERS:
        apps.get_model("credits", "Tier").objects.create(
            plan=plan, code=code, threshold=threshold, names=names
        )


class Migration(migrations.Migration):
    dependencies = [("credits", "0006_tiers")]
    operations = [migrations.RunPython(add_plan, migrations.RunPython.noop)]
