"""Members, wallets and how the two are bound, with the wallets we know."""

import functools

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import zone.core.ids
from zone.core.tables import CreateModels

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
NAMES = {
    "ALIPAY_CN": {"zh-hans": "支付宝", "zh-hant": "支付寶"},
    "ALIPAY_HK": {"zh-hans": "支付宝香港", "zh-hant": "支付寶香港"},
}


def add_wallets(apps, schema_editor):
    """The wallets we know. Three are open; an operator opens the others."""
    wallet_model = apps.get_model("members", "Wallet")
    for code, name, country, currency, storefront, zone_name, language, is_open, order in WALLETS:
        wallet_model.objects.create(
            code=code,
            name=name,
            names=NAMES.get(code, {}),
            country=country,
            currency=currency,
            storefront=storefront,
            time_zone=zone_name,
            default_language=language,
            is_open=is_open,
            sort_weight=order,
        )


# fmt: off
class Migration(migrations.Migration):

    replaces = [
        ('members', '0001_first'),
        ('members', '0002_first_wallets'),
        ('members', '0003_arrivals'),
        ('members', '0004_wallet_visit'),
        ('members', '0005_attempt_next_path'),
        ('members', '0006_partner_member'),
        ('members', '0007_binding_query_times'),
        ('members', '0008_erasure'),
        ('members', '0009_binding_apple_index'),
        ('members', '0010_wallet_names'),
    ]

    initial = True

    dependencies = [
        ('partners', '0001_squashed_0003_reference_member'),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name='Binding',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('bnd',), **{}), editable=False, max_length=30, unique=True)),
                        ('agreement_reference', models.CharField(blank=True, max_length=128, null=True)),
                        ('account_masked', models.CharField(blank=True, max_length=40)),
                        ('storefront', models.CharField(max_length=3)),
                        ('status', models.CharField(choices=[('pending', 'pending'), ('active', 'active'), ('suspended', 'suspended'), ('unbinding', 'unbinding'), ('unbound', 'unbound'), ('expired', 'expired'), ('failed', 'failed')], default='pending', max_length=10)),
                        ('failure_reason', models.CharField(blank=True, max_length=32)),
                        ('status_occurred_at', models.DateTimeField()),
                        ('bound_at', models.DateTimeField(null=True)),
                        ('unbound_at', models.DateTimeField(null=True)),
                        ('valid_until', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bindings', to='members.member')),
                        ('next_query_at', models.DateTimeField(null=True)),
                        ('query_count', models.PositiveSmallIntegerField(default=0)),
                        ('settled_status', models.CharField(blank=True, db_default='', default='', max_length=10)),
                        ('apple_index', models.BinaryField(max_length=32, null=True)),
                    ],
                    options={
                        'verbose_name': 'binding',
                        'verbose_name_plural': 'bindings',
                        'indexes': [
                            models.Index(condition=models.Q(('next_query_at__isnull', False)), fields=['next_query_at'], name='members_binding_query_due'),
                            models.Index(condition=models.Q(('status__in', ['active', 'suspended']), ('valid_until__isnull', False)), fields=['valid_until'], name='members_binding_valid_until'),
                            models.Index(condition=models.Q(('status__in', ['active', 'unbound', 'expired']), models.Q(('settled_status', models.F('status')), _negated=True)), fields=['id'], name='members_binding_unsettled'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('status__in', ['pending', 'active', 'suspended', 'unbinding'])), fields=('member',), name='members_binding_one_open'),
                            models.UniqueConstraint(condition=models.Q(('agreement_reference__isnull', False)), fields=('agreement_reference',), name='members_binding_agreement_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Member',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('mbr',), **{}), editable=False, max_length=30, unique=True)),
                        ('status', models.CharField(choices=[('active', 'active'), ('suspended', 'suspended'), ('erasing', 'being erased'), ('erased', 'erased')], default='active', max_length=10)),
                        ('display_name', models.CharField(blank=True, max_length=60)),
                        ('language', models.CharField(default='en', max_length=10)),
                        ('storefront', models.CharField(max_length=3)),
                        ('time_zone', models.CharField(max_length=40)),
                        ('is_adult', models.BooleanField(default=True)),
                        ('person_token', models.BinaryField(max_length=32, null=True)),
                        ('joined_at', models.DateTimeField()),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='members.wallet')),
                        ('first_signed_in_at', models.DateTimeField(null=True)),
                        ('welcomed_at', models.DateTimeField(null=True)),
                        ('frozen_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'verbose_name': 'member',
                        'verbose_name_plural': 'members',
                        'indexes': [
                            models.Index(condition=models.Q(('person_token__isnull', False)), fields=['person_token'], name='members_member_person'),
                            models.Index(condition=models.Q(('first_signed_in_at__isnull', False), ('welcomed_at__isnull', True)), fields=['first_signed_in_at'], name='members_member_arrival'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Wallet',
                    fields=[
                        ('code', models.CharField(max_length=24, primary_key=True, serialize=False, verbose_name='code')),
                        ('name', models.CharField(max_length=60, verbose_name='name')),
                        ('country', models.CharField(max_length=2, verbose_name='country')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('storefront', models.CharField(max_length=3, verbose_name='storefront')),
                        ('time_zone', models.CharField(max_length=40, verbose_name='time zone')),
                        ('default_language', models.CharField(default='en', max_length=10, verbose_name='default language')),
                        ('connector', models.CharField(default='sandbox', max_length=24, verbose_name='connector')),
                        ('is_open', models.BooleanField(default=False, verbose_name='open for sign-in')),
                        ('livemode', models.BooleanField(default=True, verbose_name='live mode')),
                        ('notifies_cancel', models.BooleanField(default=True, verbose_name='tells of a cancel in the wallet')),
                        ('sort_weight', models.PositiveSmallIntegerField(default=100, verbose_name='order')),
                        ('names', models.JSONField(blank=True, db_default={}, default=dict, verbose_name='names in other languages')),
                    ],
                    options={
                        'verbose_name': 'wallet',
                        'verbose_name_plural': 'wallets',
                        'ordering': ['sort_weight', 'code'],
                    },
                ),
                migrations.CreateModel(
                    name='BindingAttempt',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('bat',), **{}), editable=False, max_length=30, unique=True)),
                        ('entry', models.CharField(default='direct', max_length=32)),
                        ('device_os', models.CharField(blank=True, max_length=16)),
                        ('outcome', models.CharField(choices=[('open', 'open'), ('succeeded', 'succeeded'), ('failed', 'failed'), ('canceled', 'canceled'), ('abandoned', 'abandoned')], default='open', max_length=10)),
                        ('failure_reason', models.CharField(blank=True, max_length=32)),
                        ('started_at', models.DateTimeField()),
                        ('last_step_at', models.DateTimeField()),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('binding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='members.binding')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='members.member')),
                        ('next_path', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'verbose_name': 'binding attempt',
                        'verbose_name_plural': 'binding attempts',
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('outcome', 'open')), fields=('member',), name='members_bindingattempt_one_open'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='MemberSession',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('token_hash', models.BinaryField(max_length=32, unique=True)),
                        ('created_at', models.DateTimeField()),
                        ('seen_at', models.DateTimeField()),
                        ('idle_until', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('revoked_at', models.DateTimeField(null=True)),
                        ('host', models.CharField(default='browser', max_length=16)),
                        ('device', models.CharField(blank=True, max_length=120)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'member session',
                        'verbose_name_plural': 'member sessions',
                        'indexes': [
                            models.Index(condition=models.Q(('revoked_at__isnull', True)), fields=['member'], name='members_session_open'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='WalletIdentity',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('app_id', models.CharField(blank=True, max_length=64)),
                        ('kind', models.CharField(choices=[('user_id', 'user_id'), ('open_id', 'open_id')], default='user_id', max_length=8)),
                        ('value_index', models.BinaryField(max_length=32)),
                        ('value_sealed', models.BinaryField(max_length=400)),
                        ('last_four', models.CharField(max_length=4)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to='members.member')),
                        ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                        ('history_linked_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'verbose_name': 'wallet identity',
                        'verbose_name_plural': 'wallet identities',
                        'indexes': [
                            models.Index(condition=models.Q(('history_linked_at__isnull', True)), fields=['id'], name='members_identity_unlinked'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('wallet', 'app_id', 'kind', 'value_index'), name='members_walletidentity_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='BindingStep',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=32)),
                        ('facts', models.JSONField(default=dict)),
                        ('at', models.DateTimeField()),
                        ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='members.bindingattempt')),
                    ],
                    options={
                        'verbose_name': 'binding step',
                        'verbose_name_plural': 'binding steps',
                        'indexes': [
                            models.Index(fields=['attempt', 'at'], name='members_bindingstep_order'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Consent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('purpose', models.CharField(choices=[('account', 'account'), ('transactions', 'showing transactions'), ('credits', 'credits'), ('marketing', 'marketing messages'), ('personalisation', 'personal recommendations')], max_length=16)),
                        ('policy_version', models.CharField(max_length=20)),
                        ('language', models.CharField(max_length=10)),
                        ('given_at', models.DateTimeField()),
                        ('withdrawn_at', models.DateTimeField(null=True)),
                        ('evidence', models.JSONField(default=dict)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'consent',
                        'verbose_name_plural': 'consents',
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('member', 'purpose'), name='members_consent_one_open'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='WalletVisit',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('state_hash', models.BinaryField(max_length=32, unique=True)),
                        ('browser_hash', models.BinaryField(max_length=32)),
                        ('purpose', models.CharField(choices=[('sign_in', 'sign in'), ('bind', 'bind')], max_length=8)),
                        ('next_path', models.CharField(blank=True, max_length=500)),
                        ('facts', models.JSONField(default=dict)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('consumed_at', models.DateTimeField(null=True)),
                        ('binding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.binding')),
                        ('member', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.member')),
                        ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                    ],
                    options={
                        'verbose_name': 'wallet visit',
                        'verbose_name_plural': 'wallet visits',
                        'indexes': [
                            models.Index(fields=['expires_at'], name='members_walletvisit_end'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='PartnerMember',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('mbr',), **{}), editable=False, max_length=30, unique=True)),
                        ('livemode', models.BooleanField()),
                        ('external_id', models.CharField(blank=True, max_length=64, null=True, verbose_name="partner's reference")),
                        ('metadata', models.JSONField(blank=True, default=dict)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='partner_ids', to='members.member')),
                        ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.partner')),
                    ],
                    options={
                        'verbose_name': 'member of a partner',
                        'verbose_name_plural': 'members of partners',
                        'constraints': [
                            models.UniqueConstraint(fields=('partner', 'member'), name='members_partnermember_once'),
                            models.UniqueConstraint(condition=models.Q(('external_id__isnull', False)), fields=('partner', 'livemode', 'external_id'), name='members_partnermember_reference_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Erasure',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('requested_at', models.DateTimeField(verbose_name='asked')),
                        ('requested_by', models.CharField(max_length=150, verbose_name='by')),
                        ('due_at', models.DateTimeField(verbose_name='due')),
                        ('canceled_at', models.DateTimeField(null=True, verbose_name='called off')),
                        ('begun_at', models.DateTimeField(null=True, verbose_name='begun')),
                        ('rooms_done', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list, size=None)),
                        ('done_at', models.DateTimeField(null=True, verbose_name='done')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='erasures', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'erasure',
                        'verbose_name_plural': 'erasures',
                        'ordering': ['-pk'],
                        'indexes': [
                            models.Index(condition=models.Q(('canceled_at__isnull', True), ('done_at__isnull', True)), fields=['due_at'], name='members_erasure_open'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('canceled_at__isnull', True)), fields=('member',), name='members_erasure_one_open'),
                            models.CheckConstraint(condition=models.Q(('canceled_at__isnull', True), ('begun_at__isnull', True), _connector='OR'), name='members_erasure_no_way_back'),
                            models.CheckConstraint(condition=models.Q(('done_at__isnull', True), ('begun_at__isnull', False), _connector='OR'), name='members_erasure_begun_first'),
                        ],
                    },
                ),
            ],
        ),
        migrations.RunPython(add_wallets),
    ]
