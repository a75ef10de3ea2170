"""Earn rules and bonuses by the names they have in other languages."""

from django.db import migrations, models

# kind, the name as it was first written, the name in Chinese
NAMES = [
    ("purchase", "1 per CNY 1", "每消费 1 元得 1 积分"),
    ("purchase", "1 per HKD 1", "每消费 1 港元得 1 积分"),
    ("purchase", "1 per PHP 10", "每消费 10 比索得 1 积分"),
]


def name_rules(apps, schema_editor):
    rules = apps.get_model("credits", "EarnRule").objects
    for kind, name, said in NAMES:
        # A rule that an operator renamed is theirs to name.
        rules.filter(kind=kind, name=name).update(names={"zh-hans": said})


def _names():
    return models.JSONField(
        blank=True, db_default={}, default=dict, verbose_name="names in other languages"
    )


class Migration(migrations.Migration):
    dependencies = [("credits", "0026_lean_sweep")]
    operations = [
        migrations.AddField(model_name="earnrule", name="names", field=_names()),
        migrations.AddField(model_name="earnbonus", name="names", field=_names()),
        migrations.RunPython(name_rules, migrations.RunPython.noop),
    ]
