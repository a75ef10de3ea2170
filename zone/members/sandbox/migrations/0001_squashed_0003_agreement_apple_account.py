"""The wallet where anyone may be anyone."""

import functools

import django.db.models.deletion
from django.db import migrations, models

import zone.core.ids
from zone.core.tables import CreateModels


# fmt: off
class Migration(migrations.Migration):

    replaces = [
        ('sandbox', '0001_first'),
        ('sandbox', '0002_person_note'),
        ('sandbox', '0003_agreement_apple_account'),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name='SandboxKey',
                    fields=[
                        ('wallet_code', models.CharField(max_length=24, primary_key=True, serialize=False)),
                        ('private_wrapped', models.BinaryField(max_length=4000)),
                        ('public_pem', models.TextField(editable=False)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        'verbose_name': 'sandbox key',
                        'verbose_name_plural': 'sandbox keys',
                    },
                ),
                migrations.CreateModel(
                    name='SandboxAccount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('sbx',), **{}), editable=False, max_length=30, unique=True)),
                        ('wallet_code', models.CharField(max_length=24)),
                        ('user_index', models.BinaryField(max_length=32)),
                        ('user_sealed', models.BinaryField(max_length=400)),
                        ('last_four', models.CharField(max_length=4)),
                        ('display_name', models.CharField(max_length=60)),
                        ('storefront', models.CharField(max_length=3)),
                        ('language', models.CharField(max_length=10)),
                        ('is_adult', models.BooleanField(default=True)),
                        ('allows_unbinding', models.BooleanField(default=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('note', models.CharField(blank=True, max_length=120)),
                    ],
                    options={
                        'verbose_name': 'sandbox account',
                        'verbose_name_plural': 'sandbox accounts',
                        'indexes': [
                            models.Index(fields=['wallet_code', '-id'], name='sandbox_account_newest'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('wallet_code', 'user_index'), name='sandbox_account_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='SandboxAuthCode',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code_hash', models.BinaryField(max_length=32, unique=True)),
                        ('expires_at', models.DateTimeField()),
                        ('used_at', models.DateTimeField(null=True)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='sandbox.sandboxaccount')),
                    ],
                    options={
                        'verbose_name': 'sandbox authorisation code',
                        'verbose_name_plural': 'sandbox authorisation codes',
                    },
                ),
                migrations.CreateModel(
                    name='SandboxAgreement',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('agreement_no', models.CharField(max_length=32, unique=True)),
                        ('external_agreement_no', models.CharField(blank=True, max_length=64)),
                        ('status', models.CharField(choices=[('NORMAL', 'on'), ('STOP', 'paused'), ('UNSIGN', 'off')], default='NORMAL', max_length=6)),
                        ('signed_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('valid_until', models.DateTimeField(null=True)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='agreements', to='sandbox.sandboxaccount')),
                        ('apple_account', models.CharField(blank=True, db_default='', default='', max_length=64)),
                    ],
                    options={
                        'verbose_name': 'sandbox agreement',
                        'verbose_name_plural': 'sandbox agreements',
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('status__in', ['NORMAL', 'STOP'])), fields=('account',), name='sandbox_agreement_one_open'),
                        ],
                    },
                ),
            ],
        ),
    ]
