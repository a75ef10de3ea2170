"""Partners, their keys and tokens, what they sent and what is told to them."""

import functools

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import zone.core.ids
import zone.partners.ingest_clients
import zone.partners.models.partner
import zone.partners.scopes
from zone.core.tables import CreateModels


# fmt: off
class Migration(migrations.Migration):

    replaces = [
        ('partners', '0001_first'),
        ('partners', '0002_ingest_client'),
        ('partners', '0003_reference_member'),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name='Partner',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('slug', models.SlugField(max_length=40, unique=True, verbose_name='short name')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('status', models.CharField(choices=[('active', 'active'), ('suspended', 'suspended')], default='active', max_length=10, verbose_name='status')),
                        ('contact_email', models.EmailField(blank=True, max_length=254, verbose_name='technical contact')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        'verbose_name': 'partner',
                        'verbose_name_plural': 'partners',
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='PartnerKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('key',), **{}), editable=False, max_length=30, unique=True)),
                        ('name', models.CharField(blank=True, max_length=60, verbose_name='name')),
                        ('livemode', models.BooleanField(default=False, verbose_name='live mode')),
                        ('secret_hash', models.BinaryField(max_length=32)),
                        ('secret_hint', models.CharField(editable=False, max_length=4, verbose_name='secret ends with')),
                        ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=zone.partners.scopes.choices, max_length=24), size=None, verbose_name='scopes')),
                        ('networks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=43, validators=[zone.partners.models.partner.validate_network]), blank=True, default=list, size=None, verbose_name='source networks')),
                        ('zone_version', models.CharField(default='2026-11-01', max_length=10, verbose_name='version')),
                        ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='ends at')),
                        ('revoked_at', models.DateTimeField(editable=False, null=True, verbose_name='revoked at')),
                        ('revoked_by', models.CharField(blank=True, editable=False, max_length=80)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('created_by', models.CharField(blank=True, editable=False, max_length=80)),
                        ('last_token_at', models.DateTimeField(editable=False, null=True, verbose_name='last token at')),
                        ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='keys', to='partners.partner')),
                    ],
                    options={
                        'verbose_name': 'key',
                        'verbose_name_plural': 'keys',
                        'ordering': ['-created_at'],
                    },
                ),
                migrations.CreateModel(
                    name='PartnerSigningKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('spk',), **{}), editable=False, max_length=30, unique=True)),
                        ('livemode', models.BooleanField(default=False, verbose_name='live mode')),
                        ('algorithm', models.CharField(choices=[('ed25519', 'ed25519'), ('rsa-pss-sha512', 'rsa-pss-sha512')], max_length=16, verbose_name='algorithm')),
                        ('public_key_pem', models.TextField(max_length=4000, verbose_name='public key (PEM)')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked at')),
                        ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signing_keys', to='partners.partner')),
                    ],
                    options={
                        'verbose_name': 'signing key',
                        'verbose_name_plural': 'signing keys',
                        'ordering': ['-created_at'],
                    },
                ),
                migrations.CreateModel(
                    name='RateWindow',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('policy', models.CharField(max_length=16)),
                        ('subject', models.CharField(max_length=96)),
                        ('started_at', models.DateTimeField()),
                        ('count', models.PositiveIntegerField()),
                    ],
                    options={
                        'verbose_name': 'rate window',
                        'verbose_name_plural': 'rate windows',
                        'indexes': [
                            models.Index(fields=['started_at'], name='partners_ratewindow_started'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('policy', 'subject'), name='partners_ratewindow_subject'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='IdempotencyRecord',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('livemode', models.BooleanField()),
                        ('key', models.CharField(max_length=255)),
                        ('fingerprint', models.BinaryField(max_length=32)),
                        ('status', models.PositiveSmallIntegerField(null=True)),
                        ('content_type', models.CharField(blank=True, max_length=40)),
                        ('body', models.BinaryField(default=b'')),
                        ('is_sealed', models.BooleanField(default=False)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('partner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='partners.partner')),
                    ],
                    options={
                        'verbose_name': 'stored answer',
                        'verbose_name_plural': 'stored answers',
                        'indexes': [
                            models.Index(fields=['expires_at'], name='partners_idempotency_expiry'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('partner', 'livemode', 'key'), name='partners_idempotencyrecord_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Event',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('evt',), **{}), editable=False, max_length=30, unique=True)),
                        ('livemode', models.BooleanField()),
                        ('type', models.CharField(max_length=40)),
                        ('object_id', models.CharField(max_length=64)),
                        ('sequence', models.PositiveIntegerField()),
                        ('data', models.JSONField()),
                        ('previous', models.JSONField(default=dict)),
                        ('api_version', models.CharField(max_length=10)),
                        ('transaction_number', models.BigIntegerField()),
                        ('occurred_at', models.DateTimeField()),
                        ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='partners.partner')),
                    ],
                    options={
                        'verbose_name': 'event',
                        'verbose_name_plural': 'events',
                        'indexes': [
                            models.Index(fields=['partner', 'livemode', 'transaction_number', 'id'], name='partners_event_list'),
                            models.Index(fields=['occurred_at'], name='partners_event_age'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('partner', 'livemode', 'object_id', 'sequence'), name='partners_event_sequence'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='AccessToken',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('token_hash', models.BinaryField(max_length=32, unique=True)),
                        ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), size=None)),
                        ('issued_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('revoked_at', models.DateTimeField(null=True)),
                        ('key', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='partners.partnerkey')),
                    ],
                    options={
                        'verbose_name': 'access token',
                        'verbose_name_plural': 'access tokens',
                        'indexes': [
                            models.Index(fields=['expires_at'], name='partners_accesstoken_expiry'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='PartnerReference',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('livemode', models.BooleanField()),
                        ('kind', models.CharField(max_length=16)),
                        ('external_id', models.CharField(max_length=64)),
                        ('member_id', models.BigIntegerField()),
                        ('op_id', models.UUIDField()),
                        ('object_id', models.CharField(blank=True, max_length=64)),
                        ('fingerprint', models.BinaryField(max_length=32)),
                        ('created_at', models.DateTimeField()),
                        ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.partner')),
                    ],
                    options={
                        'verbose_name': 'partner reference',
                        'verbose_name_plural': 'partner references',
                        'indexes': [
                            models.Index(fields=['object_id'], name='partners_reference_object'),
                            models.Index(fields=['op_id'], name='partners_reference_op'),
                            models.Index(fields=['member_id'], name='partners_reference_member'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('partner', 'livemode', 'kind', 'external_id'), name='partners_partnerreference_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='IngestClient',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('client_id', models.CharField(max_length=64, verbose_name='client id')),
                        ('wallet_code', models.CharField(max_length=24, verbose_name='wallet')),
                        ('key_version', models.PositiveSmallIntegerField(default=1, verbose_name='key version')),
                        ('public_key', models.TextField(max_length=2000, validators=[zone.partners.ingest_clients.validate_public_key], verbose_name='public key')),
                        ('is_active', models.BooleanField(default=True, verbose_name='active')),
                        ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                    ],
                    options={
                        'verbose_name': 'ingest client',
                        'verbose_name_plural': 'ingest clients',
                        'constraints': [
                            models.UniqueConstraint(fields=('client_id', 'key_version'), name='partners_ingestclient_version_once'),
                        ],
                    },
                ),
            ],
        ),
    ]
