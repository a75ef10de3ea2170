"""Operators, and an audit log that refuses everything but new rows and chains them."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from zone.core.sql import run_sql_file
from zone.core.tables import CreateModels

SQL = Path(__file__).resolve().parent.parent / "sql"


# fmt: off
class Migration(migrations.Migration):

    replaces = [('console', '0001_first'), ('console', '0002_guard_audit')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
        ('members', '0001_squashed_0010_wallet_names'),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name='BooksCheck',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('requested_at', models.DateTimeField(verbose_name='asked for')),
                        ('requested_by', models.CharField(max_length=180, verbose_name='asked for by')),
                        ('lease_until', models.DateTimeField(editable=False, null=True)),
                        ('started_at', models.DateTimeField(null=True, verbose_name='started')),
                        ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                        ('status', models.CharField(choices=[('waiting', 'waiting'), ('running', 'being checked'), ('clean', 'clean'), ('warning', 'clean, with warnings'), ('broken', 'broken'), ('failed', 'did not finish')], default='waiting', max_length=8, verbose_name='result')),
                        ('checked_count', models.PositiveIntegerField(default=0, verbose_name='invariants checked')),
                        ('report', models.TextField(blank=True, verbose_name='report')),
                    ],
                    options={
                        'verbose_name': 'books check',
                        'verbose_name_plural': 'books checks',
                        'ordering': ['-id'],
                        'permissions': [('run_bookscheck', 'Can have the books checked now')],
                        'constraints': [
                            models.UniqueConstraint(models.Value(1), condition=models.Q(('status__in', ['waiting', 'running'])), name='console_bookscheck_one_open'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='OperatorScope',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='scope', to=settings.AUTH_USER_MODEL)),
                        ('wallets', models.ManyToManyField(to='members.wallet', verbose_name='wallets')),
                    ],
                    options={
                        'verbose_name': 'operator scope',
                        'verbose_name_plural': 'operator scopes',
                    },
                ),
                migrations.CreateModel(
                    name='AuditEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='at')),
                        ('actor', models.CharField(max_length=180, verbose_name='who')),
                        ('address', models.GenericIPAddressField(null=True, verbose_name='from where')),
                        ('request_id', models.CharField(blank=True, max_length=40, verbose_name='request')),
                        ('action', models.CharField(max_length=60, verbose_name='action')),
                        ('object_type', models.CharField(blank=True, max_length=100, verbose_name='kind of object')),
                        ('object_id', models.CharField(blank=True, max_length=100, verbose_name='object')),
                        ('object_name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                        ('before', models.JSONField(default=dict, verbose_name='before')),
                        ('after', models.JSONField(default=dict, verbose_name='after')),
                        ('reason', models.TextField(blank=True, verbose_name='reason')),
                        ('previous_hash', models.BinaryField(default=b'', max_length=32)),
                        ('row_hash', models.BinaryField(default=b'', max_length=32)),
                        ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='operator')),
                    ],
                    options={
                        'verbose_name': 'audit event',
                        'verbose_name_plural': 'audit log',
                        'ordering': ['-id'],
                        'permissions': [('unmask_member', "Can see a member's wallet id, with a reason")],
                        'indexes': [
                            models.Index(fields=['object_type', 'object_id', '-id'], name='console_auditevent_object'),
                            models.Index(fields=['user', '-id'], name='console_auditevent_user'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='OperatorSession',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('started_at', models.DateTimeField(verbose_name='started')),
                        ('seen_at', models.DateTimeField(verbose_name='last seen')),
                        ('ended_at', models.DateTimeField(null=True, verbose_name='ended')),
                        ('ending', models.CharField(blank=True, choices=[('signed_out', 'signed out'), ('idle', 'idle for too long'), ('too_long', 'a working day is over'), ('replaced', 'signed in elsewhere'), ('ended', 'ended by a colleague'), ('moved', 'the browser changed')], max_length=10, verbose_name='ending')),
                        ('address', models.GenericIPAddressField(null=True, verbose_name='address')),
                        ('agent_family', models.CharField(blank=True, max_length=60, verbose_name='browser')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='operator_sessions', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'operator session',
                        'verbose_name_plural': 'operator sessions',
                        'ordering': ['-id'],
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('user',), name='console_operatorsession_one_open'),
                        ],
                    },
                ),
            ],
        ),
        run_sql_file(SQL / "audit.sql"),
    ]
