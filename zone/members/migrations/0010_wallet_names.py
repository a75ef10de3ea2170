"""Wallets by the names they have in other languages."""

from django.db import migrations, models

# code, the name as it was first written, names elsewhere
NAMES = [
    ("ALIPAY_CN", "Alipay", {"zh-hans": "支付宝", "zh-hant": "支付寶"}),
    ("ALIPAY_HK", "AlipayHK", {"zh-hans": "支付宝香港", "zh-hant": "支付寶香港"}),
]


def name_wallets(apps, schema_editor):
    wallets = apps.get_model("members", "Wallet").objects
    for code, name, names in NAMES:
        # A wallet that an operator renamed is theirs to name.
        wallets.filter(code=code, name=name).update(names=names)


class Migration(migrations.Migration):
    dependencies = [("members", "0009_binding_apple_index")]
    operations = [
        migrations.AddField(
            model_name="wallet",
            name="names",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, verbose_name="names in other languages"
            ),
        ),
        migrations.RunPython(name_wallets, migrations.RunPython.noop),
    ]
