"""The wallets we know, as data. Three are open; an operator opens the others."""

from django.db import migrations

# code, name, country, currency, storefront (ISO 3166 alpha-3), zone, language, open, order
WALLETS = [
    ("ALIPAY_CN", "Alipay", "CN", "CNY", "CHN", "Asia/Shanghai", "zh-hans", True, 10),
    ("ALIPAY_HK", "AlipayHK", "HK", "HKD", "HKG", "Asia/Hong_Kong", "zh-hant", True, 20),
    ("GCASH", "GCash", "PH", "PHP", "PHL", "Asia/Manila", "fil", True, 30),
    ("TNG", "Touch 'n Go eWallet", "MY", "MYR", "MYS", "Asia/Kuala_Lumpur", "en", False, 40),
    ("TRUEMONEY", "TrueMoney", "TH", "THB", "THA", "Asia/Bangkok", "en", False, 50),
    ("DANA", "DANA", "ID", "IDR", "IDN", "Asia/Jakarta", "en", False, 60),
    ("KAKAOPAY", "Kakao Pay", "KR", "KRW", "KOR", "Asia/Seoul", "en", False, 70),
    ("BOOST", "Boost", "MY", "MYR", "MYS", "Asia/Kuala_Lumpur", "en", False, 80),
    ("MPAY", "MPay", "MO", "MOP", "MAC", "Asia/Macau", "zh-hant", False, 90),
]


def add_wallets(apps, schema_editor):
    wallet_model = apps.get_model("members", "Wallet")
    for code, name, country, currency, storefront, zone, language, is_open, order in WALLETS:
        wallet_model.objects.get_or_create(
            code=code,
            defaults={
                "name": name,
                "country": country,
                "currency": currency,
                "storefront": storefront,
                "time_zone": zone,
                "default_language": language,
                "is_open": is_open,
                "sort_weight": order,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("members", "0001_first")]
    operations = [migrations.RunPython(add_wallets, migrations.RunPython.noop)]
