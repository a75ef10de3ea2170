"""Charges, refunds, subscriptions; the large ones by month."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from zone.core.sql import run_sql_file
from zone.core.tables import CreateModels

SQL = Path(__file__).resolve().parent.parent / "sql"


# fmt: off
class Migration(migrations.Migration):

    replaces = [('history', '0001_first'), ('history', '0002_refund_key_is_counted')]

    initial = True

    dependencies = [
        ('core', '0001_clock'),
        ('members', '0001_squashed_0010_wallet_names'),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name='Charge',
                    fields=[
                        ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ('bill_no', models.CharField(max_length=64, verbose_name='transaction number')),
                        ('order_no', models.CharField(blank=True, max_length=64, verbose_name='order number')),
                        ('merchant_reference', models.CharField(blank=True, max_length=64)),
                        ('merchant_name', models.CharField(blank=True, max_length=128, verbose_name='merchant')),
                        ('amount', models.BigIntegerField(verbose_name='amount')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('refunded', models.BigIntegerField(default=0, verbose_name='refunded')),
                        ('subscription_amount', models.BigIntegerField(default=0)),
                        ('app_amount', models.BigIntegerField(default=0)),
                        ('has_sound_lines', models.BooleanField(default=True)),
                        ('paid_at', models.DateTimeField(verbose_name='paid')),
                        ('status', models.CharField(choices=[('processing', 'processing'), ('succeeded', 'paid'), ('failed', 'failed'), ('canceled', 'canceled')], default='succeeded', max_length=10, verbose_name='status')),
                        ('created_at', models.DateTimeField()),
                        ('credited_at', models.DateTimeField(null=True)),
                        ('credits_earned', models.BigIntegerField(null=True)),
                        ('earn_op_id', models.UUIDField(null=True)),
                    ],
                    options={
                        'verbose_name': 'charge',
                        'verbose_name_plural': 'charges',
                        'db_table': 'history_charge',
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='ChargeLine',
                    fields=[
                        ('pk', models.CompositePrimaryKey('charge_id', 'line_no', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('line_no', models.PositiveSmallIntegerField()),
                        ('service', models.CharField(max_length=24)),
                        ('title', models.CharField(max_length=200)),
                        ('amount', models.BigIntegerField()),
                        ('is_recurring', models.BooleanField(default=False)),
                        ('subscription_reference', models.CharField(blank=True, max_length=64)),
                    ],
                    options={
                        'verbose_name': 'charge line',
                        'verbose_name_plural': 'charge lines',
                        'db_table': 'history_charge_line',
                        'ordering': ['charge_id', 'line_no'],
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='SubscriptionEvent',
                    fields=[
                        ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ('event_reference', models.CharField(max_length=64)),
                        ('status', models.CharField(choices=[('trial', 'free trial'), ('active', 'active'), ('cancel_scheduled', 'ends soon'), ('grace', 'payment due'), ('retry', 'payment failed'), ('expired', 'ended'), ('revoked', 'withdrawn')], max_length=16)),
                        ('is_trial', models.BooleanField(default=False)),
                        ('plan', models.CharField(blank=True, max_length=120)),
                        ('price', models.BigIntegerField()),
                        ('period_ends_at', models.DateTimeField()),
                        ('expiration_intent', models.PositiveSmallIntegerField(null=True)),
                        ('occurred_at', models.DateTimeField()),
                        ('created_at', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name': 'subscription event',
                        'verbose_name_plural': 'subscription events',
                        'db_table': 'history_subscription_event',
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='ChargeKey',
                    fields=[
                        ('user_index', models.BinaryField(max_length=32)),
                        ('occurred_at', models.DateTimeField()),
                        ('row_id', models.UUIDField(null=True)),
                        ('pk', models.CompositePrimaryKey('wallet_id', 'bill_no', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('bill_no', models.CharField(max_length=64)),
                        ('amount', models.BigIntegerField()),
                        ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                    ],
                    options={
                        'db_table': 'history_charge_key',
                    },
                ),
                migrations.CreateModel(
                    name='RefundKey',
                    fields=[
                        ('user_index', models.BinaryField(max_length=32)),
                        ('occurred_at', models.DateTimeField()),
                        ('row_id', models.UUIDField(null=True)),
                        ('pk', models.CompositePrimaryKey('wallet_id', 'bill_no', 'refund_reference', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('bill_no', models.CharField(max_length=64)),
                        ('refund_reference', models.CharField(max_length=80)),
                        ('amount', models.BigIntegerField()),
                        ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                        ('is_counted', models.BooleanField(default=True)),
                    ],
                    options={
                        'db_table': 'history_refund_key',
                    },
                ),
                migrations.CreateModel(
                    name='Subscription',
                    fields=[
                        ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ('reference', models.CharField(max_length=64, verbose_name='reference')),
                        ('service', models.CharField(max_length=24, verbose_name='service')),
                        ('plan', models.CharField(blank=True, max_length=120, verbose_name='plan')),
                        ('status', models.CharField(choices=[('trial', 'free trial'), ('active', 'active'), ('cancel_scheduled', 'ends soon'), ('grace', 'payment due'), ('retry', 'payment failed'), ('expired', 'ended'), ('revoked', 'withdrawn')], max_length=16, verbose_name='status')),
                        ('is_trial', models.BooleanField(default=False, verbose_name='trial')),
                        ('price', models.BigIntegerField(verbose_name='price')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('period', models.CharField(blank=True, max_length=8, verbose_name='period')),
                        ('period_ends_at', models.DateTimeField(verbose_name='period ends')),
                        ('expiration_intent', models.PositiveSmallIntegerField(null=True)),
                        ('storefront', models.CharField(blank=True, max_length=3)),
                        ('source', models.CharField(choices=[('feed', 'told by the wallet'), ('inferred', 'looks like a subscription')], default='feed', max_length=8, verbose_name='source')),
                        ('occurred_at', models.DateTimeField(verbose_name='newest event')),
                        ('event_reference', models.CharField(max_length=64)),
                        ('started_at', models.DateTimeField(verbose_name='first seen')),
                        ('created_at', models.DateTimeField()),
                        ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='members.member')),
                        ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                    ],
                    options={
                        'verbose_name': 'subscription',
                        'verbose_name_plural': 'subscriptions',
                        'indexes': [
                            models.Index(fields=['member', 'period_ends_at'], name='history_subscription_next'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('wallet', 'reference'), name='history_subscription_once'),
                            models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='history_subscription_price'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='PricePoint',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('price', models.BigIntegerField(verbose_name='price')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('effective_at', models.DateTimeField(verbose_name='from')),
                        ('subscription', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='price_points', to='history.subscription')),
                    ],
                    options={
                        'verbose_name': 'price point',
                        'verbose_name_plural': 'price points',
                        'ordering': ['effective_at'],
                        'constraints': [
                            models.UniqueConstraint(fields=('subscription', 'effective_at'), name='history_pricepoint_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='SubscriptionEventKey',
                    fields=[
                        ('user_index', models.BinaryField(max_length=32)),
                        ('occurred_at', models.DateTimeField()),
                        ('row_id', models.UUIDField(null=True)),
                        ('pk', models.CompositePrimaryKey('wallet_id', 'event_reference', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('event_reference', models.CharField(max_length=64)),
                        ('fingerprint', models.BinaryField(max_length=32)),
                        ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                    ],
                    options={
                        'db_table': 'history_subscription_event_key',
                    },
                ),
                migrations.CreateModel(
                    name='UnlinkedMessage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('user_index', models.BinaryField(max_length=32)),
                        ('path', models.CharField(max_length=40, verbose_name='path')),
                        ('reference', models.CharField(max_length=160, verbose_name='reference')),
                        ('body', models.JSONField(verbose_name='message')),
                        ('received_at', models.DateTimeField(verbose_name='received')),
                        ('expires_at', models.DateTimeField(verbose_name='kept until')),
                        ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                    ],
                    options={
                        'verbose_name': 'unlinked message',
                        'verbose_name_plural': 'unlinked messages',
                        'indexes': [
                            models.Index(fields=['wallet', 'user_index'], name='history_unlinked_user'),
                            models.Index(fields=['expires_at'], name='history_unlinked_expiry'),
                        ],
                    },
                ),
            ],
        ),
        # The partitioned tables, whose models above are unmanaged.
        *(run_sql_file(SQL / f"{name}.sql") for name in ("tables", "partitions")),
        CreateModels(
            [
                migrations.CreateModel(
                    name='Refund',
                    fields=[
                        ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ('bill_no', models.CharField(max_length=64, verbose_name='transaction number')),
                        ('refund_no', models.CharField(blank=True, max_length=64, verbose_name='refund number')),
                        ('amount', models.BigIntegerField(verbose_name='amount')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('refunded_at', models.DateTimeField(verbose_name='refunded')),
                        ('state', models.CharField(choices=[('parked', 'waiting for its charge'), ('applied', 'applied'), ('refused', 'does not fit its charge')], default='parked', max_length=8, verbose_name='state')),
                        ('created_at', models.DateTimeField()),
                        ('credited_at', models.DateTimeField(null=True)),
                        ('credits_taken', models.BigIntegerField(null=True)),
                        ('charge', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='history.charge')),
                        ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='members.member')),
                        ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                    ],
                    options={
                        'verbose_name': 'refund',
                        'verbose_name_plural': 'refunds',
                        'indexes': [
                            models.Index(fields=['member', '-id'], name='history_refund_statement'),
                            models.Index(condition=models.Q(('state', 'parked')), fields=['wallet', 'bill_no'], name='history_refund_parked'),
                            models.Index(condition=models.Q(('credited_at__isnull', True), ('state', 'applied')), fields=['id'], name='history_refund_uncredited'),
                        ],
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='history_refund_amount_positive'),
                            models.CheckConstraint(condition=models.Q(models.Q(('charge__isnull', False), ('state', 'applied')), models.Q(('state', 'applied'), _negated=True), _connector='OR'), name='history_refund_applied_has_charge'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='RejectedMessage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('path', models.CharField(max_length=40, verbose_name='path')),
                        ('outcome', models.CharField(choices=[('illegal', 'illegal'), ('inconsistent', 'inconsistent')], max_length=12, verbose_name='outcome')),
                        ('reason', models.CharField(max_length=200, verbose_name='reason')),
                        ('reference', models.CharField(blank=True, max_length=160, verbose_name='reference')),
                        ('body', models.JSONField(null=True, verbose_name='message')),
                        ('body_hash', models.BinaryField(max_length=32)),
                        ('received_at', models.DateTimeField(verbose_name='received')),
                        ('reviewed_at', models.DateTimeField(blank=True, null=True, verbose_name='reviewed')),
                        ('reviewed_by', models.CharField(blank=True, max_length=150, verbose_name='reviewed by')),
                        ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet')),
                    ],
                    options={
                        'verbose_name': 'rejected message',
                        'verbose_name_plural': 'rejected messages',
                        'indexes': [
                            models.Index(condition=models.Q(('reviewed_at__isnull', True)), fields=['-received_at'], name='history_rejected_open'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('wallet', 'path', 'outcome', 'body_hash'), name='history_rejected_once'),
                        ],
                    },
                ),
            ],
        ),
    ]
