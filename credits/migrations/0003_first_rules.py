"""The first rules: one credit per whole yuan, Hong Kong dollar, and ten pesos."""

from django.db import migrations

# currency, minor units, credits
RULES = [("CNY", 100, 1), ("HKD", 100, 1), ("PHP", 1000, 1)]


def add_rules(apps, schema_editor):
    rule_model = apps.get_model("credits", "EarnRule")
    for currency, unit_amount, credits_given in RULES:
        rule_model.objects.get_or_create(
            kind="purchase",
            currency=currency,
            unit_amount=unit_amount,
            credits=credits_given,
            defaults={"name": f"{credits_given} per {currency} {unit_amount // 100}"},
        )


class Migration(migrations.Migration):
    dependencies = [("credits", "0002_earn_rule")]
    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
