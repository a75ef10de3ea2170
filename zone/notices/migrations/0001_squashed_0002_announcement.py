"""Notices and announcements."""

import django.db.models.deletion
from django.db import migrations, models

import zone.core.ids
from zone.core.tables import CreateModels


# fmt: off
class Migration(migrations.Migration):

    replaces = [('notices', '0001_first'), ('notices', '0002_announcement')]

    initial = True

    dependencies = [
        ('members', '0001_squashed_0010_wallet_names'),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name='Notice',
                    fields=[
                        ('id', models.UUIDField(default=zone.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(max_length=40, verbose_name='kind')),
                        ('facts', models.JSONField(default=dict, verbose_name='facts')),
                        ('link', models.CharField(blank=True, max_length=200, verbose_name='link')),
                        ('dedupe_key', models.CharField(blank=True, max_length=120)),
                        ('created_at', models.DateTimeField(verbose_name='written')),
                        ('read_at', models.DateTimeField(null=True, verbose_name='read')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'notice',
                        'verbose_name_plural': 'notices',
                        'indexes': [
                            models.Index(fields=['member', '-id'], name='notices_notice_inbox'),
                            models.Index(condition=models.Q(('read_at__isnull', True)), fields=['member'], name='notices_notice_unread'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('dedupe_key', ''), _negated=True), fields=('member', 'dedupe_key'), name='notices_notice_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Announcement',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('titles', models.JSONField(verbose_name='titles by language')),
                        ('bodies', models.JSONField(verbose_name='texts by language')),
                        ('link', models.CharField(default='/benefits', max_length=200, verbose_name='link')),
                        ('purpose', models.CharField(choices=[('marketing', 'advertises: only to those who agreed'), ('service', 'about the service: to everybody')], default='marketing', max_length=9, verbose_name='purpose')),
                        ('publish_at', models.DateTimeField(verbose_name='not before')),
                        ('state', models.CharField(choices=[('draft', 'draft'), ('sending', 'being sent'), ('sent', 'sent'), ('stopped', 'stopped')], default='draft', editable=False, max_length=8, verbose_name='state')),
                        ('sent_by', models.CharField(blank=True, editable=False, max_length=150, verbose_name='sent by')),
                        ('last_member_id', models.BigIntegerField(default=0, editable=False)),
                        ('told_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='members told')),
                        ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('wallet', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.wallet', verbose_name='wallet')),
                    ],
                    options={
                        'verbose_name': 'announcement',
                        'verbose_name_plural': 'announcements',
                        'ordering': ['-pk'],
                        'permissions': [('send_announcement', 'Can send and stop announcements')],
                        'indexes': [
                            models.Index(condition=models.Q(('state', 'sending')), fields=['publish_at'], name='notices_announcement_open'),
                        ],
                    },
                ),
            ],
        ),
    ]
