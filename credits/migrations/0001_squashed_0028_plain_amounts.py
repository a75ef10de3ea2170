"""The ledger with its guards and verbs, what earns, and what an empty Zone begins with."""

import functools
from pathlib import Path

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import zone.core.ids
from zone.core.sql import run_sql_file
from zone.core.tables import CreateModels

SQL = Path(__file__).resolve().parent.parent / "sql"

# Each function has one text, the newest, which may name what a later migration adds and loads it
# again for: bodies are looked at when they are called.
LATER = "SET LOCAL check_function_bodies = off"
FILES = (
    "tables", "checks", "constraints", "days", "buckets", "posting", "accounts", "guards",
    "earn", "spend", "resolve", "refund", "clawback", "adjust", "status", "earn_batch",
    "expire_batch", "views", "pending", "mature_batch", "seals", "anchors", "seal_next", "reopen",
    "liability", "unadjust",
)  # fmt: skip

# One credit per whole yuan, Hong Kong dollar, and ten pesos.
# currency, minor units, name, name in Chinese
RULES = [
    ("CNY", 100, "1 per CNY 1", "每消费 1 元得 1 积分"),
    ("HKD", 100, "1 per HKD 1", "每消费 1 港元得 1 积分"),
    ("PHP", 1000, "1 per PHP 10", "每消费 10 比索得 1 积分"),
]
# Ten credits a day, fifty on the seventh.
CHECK_IN_REWARDS = [10, 10, 10, 10, 10, 10, 50]
# By the calendar year.
TIERS = [
    ("silver", 0, {"en": "Silver", "zh-hans": "银星", "zh-hant": "銀星", "fil": "Silver"}),
    ("gold", 2000, {"en": "Gold", "zh-hans": "金星", "zh-hant": "金星", "fil": "Gold"}),
    ("platinum", 4000, {"en": "Platinum", "zh-hans": "铂星", "zh-hant": "鉑星", "fil": "Platinum"}),
    ("diamond", 8000, {"en": "Diamond", "zh-hans": "钻星", "zh-hant": "鑽星", "fil": "Diamond"}),
]
# Pay three times a month, check in five days a week.
MISSIONS = [
    ("three-purchases", "purchases", 3, "month", 60,
     {"en": "Pay Apple three times this month", "zh-hans": "本月完成 3 笔 Apple 付款"}),
    ("five-check-ins", "check_ins", 5, "week", 20,
     {"en": "Check in on five days this week", "zh-hans": "本周签到 5 天"}),
]  # fmt: skip


def add_first_rows(apps, schema_editor):
    """What an empty Zone earns by, until its operators say otherwise."""
    add_rules(apps.get_model("credits", "EarnRule"))
    apps.get_model("credits", "CheckInTrack").objects.create(
        name="Seven days", rewards=CHECK_IN_REWARDS
    )
    add_plan(apps.get_model("credits", "TierPlan"), apps.get_model("credits", "Tier"))
    add_missions(apps.get_model("credits", "Mission"), schema_editor)


def add_rules(rule_model):
    for currency, unit_amount, name, chinese in RULES:
        rule_model.objects.create(
            kind="purchase",
            currency=currency,
            unit_amount=unit_amount,
            credits=1,
            name=name,
            names={"zh-hans": chinese},
        )


def add_plan(plan_model, tier_model):
    plan = plan_model.objects.create(name="Stars by the year")
    for code, threshold, names in TIERS:
        tier_model.objects.create(plan=plan, code=code, threshold=threshold, names=names)


def add_missions(mission_model, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        # Not earlier: purchases of long ago, imported later, would finish months long gone.
        cursor.execute("SELECT date_trunc('month', zone_now())")
        starts_at = cursor.fetchone()[0]
    for slug, metric, target, period, reward, names in MISSIONS:
        mission_model.objects.create(
            slug=slug, metric=metric, target=target, period=period, reward=reward, names=names,
            starts_at=starts_at,
        )  # fmt: skip


# fmt: off
class Migration(migrations.Migration):

    replaces = [
        ('credits', '0001_ledger'),
        ('credits', '0002_earn_rule'),
        ('credits', '0003_first_rules'),
        ('credits', '0004_check_in'),
        ('credits', '0005_first_track'),
        ('credits', '0006_tiers'),
        ('credits', '0007_first_plan'),
        ('credits', '0008_earn_policies'),
        ('credits', '0009_return_window'),
        ('credits', '0010_pending'),
        ('credits', '0011_seals'),
        ('credits', '0012_missions'),
        ('credits', '0013_first_missions'),
        ('credits', '0014_expiry_round'),
        ('credits', '0015_adjust_request'),
        ('credits', '0016_plain_roads'),
        ('credits', '0017_standing'),
        ('credits', '0018_earn_events'),
        ('credits', '0019_batches'),
        ('credits', '0020_liability'),
        ('credits', '0021_adjust_batch'),
        ('credits', '0022_seal_watch'),
        ('credits', '0023_set_batches'),
        ('credits', '0024_unadjust'),
        ('credits', '0025_apple_account_first'),
        ('credits', '0026_lean_sweep'),
        ('credits', '0027_names'),
        ('credits', '0028_plain_amounts'),
    ]

    initial = True

    dependencies = [
        ('auth', '__first__'),
        ('core', '0001_clock'),
        ('members', '0001_squashed_0010_wallet_names'),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name='Account',
                    fields=[
                        ('member', models.OneToOneField(on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='+', serialize=False, to='members.member')),
                        ('status', models.SmallIntegerField(choices=[(0, 'open'), (1, 'frozen'), (2, 'closed')])),
                        ('available', models.IntegerField()),
                        ('held', models.IntegerField()),
                        ('debt', models.IntegerField()),
                        ('seq', models.IntegerField()),
                        ('buckets', models.JSONField()),
                    ],
                    options={
                        'verbose_name': 'credit account',
                        'verbose_name_plural': 'credit accounts',
                        'db_table': '"ledger"."account_view"',
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='Entry',
                    fields=[
                        ('id', models.CharField(max_length=60, primary_key=True, serialize=False)),
                        ('op_id', models.UUIDField()),
                        ('seq', models.IntegerField()),
                        ('kind', models.SmallIntegerField(choices=[(1, 'earn'), (2, 'spend'), (3, 'hold'), (4, 'capture'), (5, 'release'), (6, 'refund'), (7, 'expire'), (8, 'clawback'), (9, 'adjust')])),
                        ('counter', models.SmallIntegerField(choices=[(10, 'purchases'), (11, 'welcome'), (12, 'check in'), (13, 'missions'), (14, 'referrals'), (15, 'campaigns'), (20, 'partners'), (30, 'benefits'), (31, 'shops'), (50, 'adjustments'), (60, 'opening'), (90, 'breakage')])),
                        ('available_change', models.IntegerField()),
                        ('held_change', models.IntegerField()),
                        ('debt_change', models.IntegerField()),
                        ('available_after', models.IntegerField()),
                        ('held_after', models.IntegerField()),
                        ('debt_after', models.IntegerField()),
                        ('day', models.DateField()),
                        ('posted_at', models.DateTimeField()),
                        ('occurred_at', models.DateTimeField(null=True)),
                        ('orig_op', models.UUIDField(null=True)),
                        ('reason', models.CharField(max_length=40)),
                        ('related', models.CharField(max_length=40)),
                    ],
                    options={
                        'verbose_name': 'credit entry',
                        'verbose_name_plural': 'credit entries',
                        'db_table': '"ledger"."entry_view"',
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='HeldCredits',
                    fields=[
                        ('id', models.CharField(max_length=60, primary_key=True, serialize=False)),
                        ('op_id', models.UUIDField()),
                        ('amount', models.IntegerField()),
                        ('captured', models.IntegerField()),
                        ('state', models.SmallIntegerField(choices=[(0, 'held'), (1, 'captured'), (2, 'voided'), (3, 'expired')])),
                        ('counter', models.SmallIntegerField(choices=[(10, 'purchases'), (11, 'welcome'), (12, 'check in'), (13, 'missions'), (14, 'referrals'), (15, 'campaigns'), (20, 'partners'), (30, 'benefits'), (31, 'shops'), (50, 'adjustments'), (60, 'opening'), (90, 'breakage')])),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField(null=True)),
                        ('resolved_at', models.DateTimeField(null=True)),
                        ('reason', models.CharField(max_length=40)),
                        ('related', models.CharField(max_length=40)),
                    ],
                    options={
                        'verbose_name': 'hold',
                        'verbose_name_plural': 'holds',
                        'db_table': '"ledger"."hold_view"',
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='EarnRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('purchase', 'each purchase'), ('first', "a member's first purchase, on top"), ('renewal', 'renewals of subscriptions, on top'), ('binding', 'linking the wallet for the first time'), ('mission', 'a mission, on top of its reward'), ('streak', 'days of a check-in streak, on top'), ('referral', 'a friend’s first purchase')], default='purchase', max_length=12, verbose_name='kind')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('currency', models.CharField(blank=True, help_text='For what is no purchase: the wallet’s currency, or empty for all wallets.', max_length=3, verbose_name='currency')),
                        ('unit_amount', models.PositiveIntegerField(verbose_name='for every')),
                        ('credits', models.PositiveIntegerField(verbose_name='credits')),
                        ('rounding', models.CharField(choices=[('down', 'down'), ('up', 'up'), ('nearest', 'to the nearest, halves up')], default='down', max_length=8, verbose_name='rounding')),
                        ('starts_at', models.DateTimeField(blank=True, null=True, verbose_name='starts')),
                        ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='ends')),
                        ('is_active', models.BooleanField(default=True, verbose_name='active')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('is_flat', models.BooleanField(default=False, help_text='Gives the credits once, whatever the amount.', verbose_name='flat')),
                        ('minimum_amount', models.PositiveBigIntegerField(default=0, verbose_name='from an amount of')),
                        ('service', models.CharField(blank=True, help_text='For a mission: its address.', max_length=60, verbose_name='service')),
                        ('every', models.PositiveSmallIntegerField(db_default=1, default=1, help_text='For streaks: 7 gives on the 7th day, the 14th and so on.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='every')),
                        ('names', models.JSONField(blank=True, db_default={}, default=dict, verbose_name='names in other languages')),
                    ],
                    options={
                        'verbose_name': 'earn rule',
                        'verbose_name_plural': 'earn rules',
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('unit_amount__gt', 0)), name='credits_earnrule_unit_positive'),
                            models.CheckConstraint(condition=models.Q(('starts_at__isnull', True), ('ends_at__isnull', True), ('starts_at__lt', models.F('ends_at')), _connector='OR'), name='credits_earnrule_window_forward'),
                            models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), _negated=True), ('kind__in', ['binding', 'mission', 'streak', 'referral']), _connector='OR'), name='credits_earnrule_purchase_has_currency'),
                            models.CheckConstraint(condition=models.Q(('is_flat', True), models.Q(('kind__in', ['binding', 'mission', 'streak', 'referral']), _negated=True), _connector='OR'), name='credits_earnrule_event_is_flat'),
                            models.CheckConstraint(condition=models.Q(('every__gte', 1), models.Q(('every', 1), ('kind', 'streak'), _connector='OR')), name='credits_earnrule_every_of_streak'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Streak',
                    fields=[
                        ('member', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='streak', serialize=False, to='members.member')),
                        ('zone', models.CharField(max_length=40, verbose_name='zone')),
                        ('last_on', models.DateField(null=True, verbose_name='last day')),
                        ('length', models.PositiveIntegerField(default=0, verbose_name='days in a row')),
                        ('longest', models.PositiveIntegerField(default=0, verbose_name='longest')),
                        ('shields', models.PositiveSmallIntegerField(default=0, verbose_name='shields')),
                        ('spare_on', models.DateField(null=True)),
                        ('tapped_at', models.DateTimeField(null=True, verbose_name='last tap')),
                    ],
                    options={
                        'verbose_name': 'streak',
                        'verbose_name_plural': 'streaks',
                    },
                ),
                migrations.CreateModel(
                    name='CheckInTrack',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('rewards', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(validators=[django.core.validators.MaxValueValidator(100000)]), help_text='Commas between them; 7 or 30 days are usual.', size=None, verbose_name='credits by day')),
                        ('margin_hours', models.PositiveSmallIntegerField(default=8, validators=[django.core.validators.MaxValueValidator(11)], verbose_name='travel margin (hours)')),
                        ('shield_every', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MinValueValidator(1)], verbose_name='a shield for every (days)')),
                        ('shields_max', models.PositiveSmallIntegerField(default=2, verbose_name='shields kept at most')),
                        ('is_active', models.BooleanField(default=True, verbose_name='in force')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        'verbose_name': 'check-in track',
                        'verbose_name_plural': 'check-in tracks',
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('is_active',), name='credits_checkintrack_one_active'),
                            models.CheckConstraint(condition=models.Q(('rewards__len__range', (1, 31))), name='credits_checkintrack_rewards'),
                            models.CheckConstraint(condition=models.Q(('margin_hours__lt', 12), ('shield_every__gt', 0)), name='credits_checkintrack_forgiveness'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='CheckIn',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('on', models.DateField(verbose_name='day')),
                        ('how', models.CharField(choices=[('tap', 'tapped'), ('late', 'tapped after midnight, away from home'), ('early', 'tapped the evening before, away from home'), ('shield', 'saved by a shield'), ('moved', 'jumped over by moving to another zone')], max_length=6, verbose_name='how')),
                        ('streak', models.PositiveIntegerField(verbose_name='day of the streak')),
                        ('credits', models.PositiveIntegerField(verbose_name='credits')),
                        ('op_id', models.UUIDField(null=True)),
                        ('zone', models.CharField(max_length=40, verbose_name='zone')),
                        ('created_at', models.DateTimeField(verbose_name='recorded')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'check-in',
                        'verbose_name_plural': 'check-ins',
                        'ordering': ['-id'],
                        'constraints': [
                            models.UniqueConstraint(fields=('member', 'on'), name='credits_checkin_once'),
                            models.CheckConstraint(condition=models.Q(models.Q(('credits', 0), ('op_id__isnull', True)), models.Q(('credits__gt', 0), ('op_id__isnull', False)), _connector='OR'), name='credits_checkin_paid_by_op'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='TierPlan',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('period', models.CharField(choices=[('calendar', 'calendar: what was reached lasts through the period after'), ('rolling', 'rolling: the months up to today')], default='calendar', max_length=8, verbose_name='period')),
                        ('months', models.PositiveSmallIntegerField(default=12, help_text='Calendar periods begin in January: choose 1, 2, 3, 4, 6 or 12.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36)], verbose_name='months in a period')),
                        ('grace_days', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MaxValueValidator(180)], verbose_name='days of grace')),
                        ('is_active', models.BooleanField(default=True, verbose_name='in force')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        'verbose_name': 'tier plan',
                        'verbose_name_plural': 'tier plans',
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('is_active',), name='credits_tierplan_one_active'),
                            models.CheckConstraint(condition=models.Q(models.Q(('months__range', (1, 36)), ('period', 'rolling')), ('months__in', [1, 2, 3, 4, 6, 12]), _connector='OR'), name='credits_tierplan_months'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Tier',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.SlugField(max_length=24, verbose_name='code')),
                        ('names', models.JSONField(verbose_name='names by language')),
                        ('threshold', models.PositiveIntegerField(verbose_name='credits earned in a period')),
                        ('is_kept_forever', models.BooleanField(default=False, verbose_name='kept for good once reached')),
                        ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tiers', to='credits.tierplan')),
                    ],
                    options={
                        'verbose_name': 'tier',
                        'verbose_name_plural': 'tiers',
                        'ordering': ['plan', 'threshold'],
                        'constraints': [
                            models.UniqueConstraint(fields=('plan', 'code'), name='credits_tier_code_once'),
                            models.UniqueConstraint(fields=('plan', 'threshold'), name='credits_tier_place_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='MemberTier',
                    fields=[
                        ('member', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='members.member')),
                        ('seq', models.PositiveIntegerField(default=0)),
                        ('plan_as_of', models.DateTimeField(null=True)),
                        ('facts', models.JSONField(default=dict)),
                        ('changes_on', models.DateField(null=True)),
                        ('computed_at', models.DateTimeField()),
                        ('tier', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='credits.tier')),
                    ],
                    options={
                        'verbose_name': "member's tier",
                        'verbose_name_plural': "members' tiers",
                        'indexes': [
                            models.Index(condition=models.Q(('changes_on__isnull', False)), fields=['changes_on'], name='credits_membertier_due'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='TierMove',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('from_code', models.CharField(blank=True, max_length=24, verbose_name='from')),
                        ('to_code', models.CharField(max_length=24, verbose_name='to')),
                        ('is_up', models.BooleanField(verbose_name='up')),
                        ('earned', models.IntegerField(verbose_name='earned in the period')),
                        ('moved_at', models.DateTimeField(verbose_name='moved')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'tier move',
                        'verbose_name_plural': 'tier moves',
                        'ordering': ['-id'],
                        'indexes': [
                            models.Index(fields=['member', '-id'], name='credits_tiermove_member'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='EarnBonus',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('percent', models.PositiveSmallIntegerField(default=200, validators=[django.core.validators.MinValueValidator(101)], verbose_name='percent')),
                        ('currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                        ('minimum_amount', models.PositiveBigIntegerField(default=0, verbose_name='from an amount of')),
                        ('times_max', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='times for a member')),
                        ('times_per', models.CharField(choices=[('day', 'a day'), ('month', 'a month'), ('always', 'in all')], default='always', max_length=6, verbose_name='in')),
                        ('starts_at', models.DateTimeField(verbose_name='starts')),
                        ('ends_at', models.DateTimeField(verbose_name='ends')),
                        ('is_active', models.BooleanField(default=True, verbose_name='active')),
                        ('names', models.JSONField(blank=True, db_default={}, default=dict, verbose_name='names in other languages')),
                    ],
                    options={
                        'verbose_name': 'earn bonus',
                        'verbose_name_plural': 'earn bonuses',
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('percent__gt', 100)), name='credits_earnbonus_gives_more'),
                            models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='credits_earnbonus_window_forward'),
                            models.CheckConstraint(condition=models.Q(('minimum_amount', 0), models.Q(('currency', ''), _negated=True), _connector='OR'), name='credits_earnbonus_minimum_has_currency'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='EarnPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=80, verbose_name='name')),
                        ('bonuses', models.CharField(choices=[('best', 'only the one that gives most'), ('stack', 'all that apply, added up')], default='best', max_length=8, verbose_name='when several bonuses apply')),
                        ('day_cap', models.PositiveIntegerField(blank=True, help_text='More is trimmed.', null=True, verbose_name='credits a day at most')),
                        ('month_cap', models.PositiveIntegerField(blank=True, help_text='More is trimmed.', null=True, verbose_name='credits a month at most')),
                        ('charge_cap', models.PositiveIntegerField(blank=True, help_text='A purchase that would earn more earns nothing and is looked at by a person.', null=True, verbose_name='credits a purchase at most')),
                        ('is_active', models.BooleanField(default=True, verbose_name='in force')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('clawback', models.CharField(choices=[('pending', 'take back only what still waits'), ('available', 'down to zero'), ('debt', 'all of it; the next credits make up for what is missing')], default='debt', max_length=9, verbose_name='when a purchase is refunded')),
                        ('return_days', models.PositiveSmallIntegerField(default=0, help_text='Credits of a purchase wait so long; 0 gives them at once.', validators=[django.core.validators.MaxValueValidator(120)], verbose_name='return window (days)')),
                    ],
                    options={
                        'verbose_name': 'earn policy',
                        'verbose_name_plural': 'earn policies',
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('is_active',), name='credits_earnpolicy_one_active'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='EarnDecision',
                    fields=[
                        ('charge_id', models.UUIDField(primary_key=True, serialize=False)),
                        ('paid_on', models.DateField(verbose_name='day of purchase')),
                        ('credits', models.PositiveIntegerField(verbose_name='credits')),
                        ('reason', models.CharField(choices=[('earned', 'earned'), ('no_rule', 'no rule applies'), ('too_small', 'too small for one credit'), ('trimmed', 'trimmed by a cap'), ('capped', 'the cap was used up'), ('rejected', 'above the cap of a purchase'), ('closed', 'the account is closed')], max_length=9, verbose_name='reason')),
                        ('parts', models.JSONField(default=list)),
                        ('trimmed', models.PositiveIntegerField(default=0, verbose_name='taken off by a cap')),
                        ('cap', models.CharField(blank=True, max_length=6, verbose_name='cap')),
                        ('decided_at', models.DateTimeField(verbose_name='decided')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'earn decision',
                        'verbose_name_plural': 'earn decisions',
                        'ordering': ['-charge_id'],
                        'indexes': [
                            models.Index(fields=['member', 'paid_on'], name='credits_earndecision_usage'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Mission',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('slug', models.SlugField(max_length=60, unique=True, verbose_name='address')),
                        ('names', models.JSONField(verbose_name='names by language')),
                        ('metric', models.CharField(choices=[('purchases', 'purchases made'), ('amount', 'amount paid'), ('check_ins', 'days checked in')], max_length=9, verbose_name='counts')),
                        ('target', models.PositiveBigIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='target')),
                        ('currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                        ('period', models.CharField(choices=[('once', 'once'), ('week', 'anew each week'), ('month', 'anew each month')], default='month', max_length=5, verbose_name='period')),
                        ('reward', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='credits')),
                        ('rolls_back', models.BooleanField(default=True, help_text='Until it is claimed.', verbose_name='a refund takes progress back')),
                        ('starts_at', models.DateTimeField(verbose_name='starts')),
                        ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='ends')),
                        ('is_active', models.BooleanField(default=True, verbose_name='active')),
                    ],
                    options={
                        'verbose_name': 'mission',
                        'verbose_name_plural': 'missions',
                        'ordering': ['pk'],
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('reward__gt', 0), ('target__gt', 0)), name='credits_mission_positive'),
                            models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('starts_at__lt', models.F('ends_at')), _connector='OR'), name='credits_mission_window_forward'),
                            models.CheckConstraint(condition=models.Q(models.Q(('metric', 'amount'), _negated=True), models.Q(('currency', ''), _negated=True), _connector='OR'), name='credits_mission_amount_has_currency'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='MissionProgress',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('period_on', models.DateField(verbose_name='period')),
                        ('progress', models.PositiveBigIntegerField(default=0, verbose_name='progress')),
                        ('claimed_at', models.DateTimeField(null=True, verbose_name='claimed')),
                        ('op_id', models.UUIDField(null=True)),
                        ('updated_at', models.DateTimeField(verbose_name='last event')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                        ('mission', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='credits.mission')),
                    ],
                    options={
                        'verbose_name': 'mission progress',
                        'verbose_name_plural': 'mission progress',
                        'constraints': [
                            models.UniqueConstraint(fields=('member', 'mission', 'period_on'), name='credits_missionprogress_once'),
                            models.CheckConstraint(condition=models.Q(models.Q(('claimed_at__isnull', True), ('op_id__isnull', True)), models.Q(('claimed_at__isnull', False), ('op_id__isnull', False)), _connector='OR'), name='credits_missionprogress_claim_has_op'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='ExpiryRound',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('zone', models.PositiveSmallIntegerField()),
                        ('month', models.PositiveSmallIntegerField()),
                        ('days_before', models.PositiveSmallIntegerField()),
                        ('last_member_id', models.BigIntegerField(default=0)),
                        ('finished_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'constraints': [
                            models.UniqueConstraint(fields=('zone', 'month', 'days_before'), name='credits_expiryround_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='AdjustRequest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('amount', models.IntegerField(help_text='Below zero takes credits away.', verbose_name='credits')),
                        ('reason', models.CharField(choices=[('goodwill', 'goodwill'), ('missing', 'credits that were missing'), ('mistake', 'our mistake'), ('abuse', 'abuse')], max_length=12, verbose_name='reason')),
                        ('note', models.TextField(max_length=1000, verbose_name='note')),
                        ('op_id', models.UUIDField(default=zone.core.ids.uuid7, editable=False, unique=True)),
                        ('status', models.CharField(choices=[('waiting', 'waiting'), ('applied', 'applied'), ('refused', 'refused')], default='waiting', max_length=8, verbose_name='status')),
                        ('limit_used', models.PositiveIntegerField(null=True, verbose_name='within a limit of')),
                        ('created_at', models.DateTimeField(verbose_name='asked')),
                        ('expires_at', models.DateTimeField(verbose_name='good until')),
                        ('decided_at', models.DateTimeField(null=True, verbose_name='decided')),
                        ('checker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                        ('maker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'adjustment',
                        'verbose_name_plural': 'adjustments',
                        'ordering': ['-pk'],
                        'permissions': [('approve_adjustrequest', 'Can approve adjustments of others')],
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('checker', models.F('maker')), _negated=True), name='credits_adjustrequest_two_people'),
                            models.CheckConstraint(condition=models.Q(models.Q(('amount', 0), _negated=True), models.Q(('note', ''), _negated=True)), name='credits_adjustrequest_sound'),
                            models.CheckConstraint(condition=models.Q(models.Q(('status', 'applied'), _negated=True), ('checker__isnull', False), models.Q(('amount__gte', django.db.models.expressions.CombinedExpression(models.F('limit_used'), '*', models.Value(-1))), ('amount__lte', models.F('limit_used'))), _connector='OR'), name='credits_adjustrequest_entitled'),
                            models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('status', 'waiting')), models.Q(models.Q(('status', 'waiting'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='credits_adjustrequest_decided'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Freeze',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('reason', models.CharField(choices=[('fraud', 'suspected fraud'), ('dispute', 'dispute with the wallet'), ('request', 'the member asked'), ('other', 'other')], max_length=8, verbose_name='reason')),
                        ('note', models.TextField(max_length=1000, verbose_name='note')),
                        ('frozen_at', models.DateTimeField(verbose_name='frozen')),
                        ('thaw_note', models.TextField(blank=True, max_length=1000, verbose_name='why it ends')),
                        ('thawed_at', models.DateTimeField(null=True, verbose_name='thawed')),
                        ('frozen_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='frozen by')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                        ('thawed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='thawed by')),
                    ],
                    options={
                        'verbose_name': 'freeze',
                        'verbose_name_plural': 'freezes',
                        'ordering': ['-pk'],
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('thawed_at__isnull', True)), fields=('member',), name='credits_freeze_one_open'),
                            models.CheckConstraint(condition=models.Q(('note', ''), _negated=True), name='credits_freeze_has_note'),
                            models.CheckConstraint(condition=models.Q(models.Q(('thawed_at__isnull', True), ('thawed_by__isnull', True)), models.Q(('thawed_at__isnull', False), ('thawed_by__isnull', False), models.Q(('thaw_note', ''), _negated=True)), _connector='OR'), name='credits_freeze_thawed_whole'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='KeptAccount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('unlinked_at', models.DateTimeField(verbose_name='unlinked')),
                        ('closes_at', models.DateTimeField(verbose_name='kept until')),
                        ('available', models.PositiveIntegerField(verbose_name='credits kept')),
                        ('warned_at', models.DateTimeField(null=True, verbose_name='warned')),
                        ('restored_at', models.DateTimeField(null=True, verbose_name='linked again')),
                        ('closed_at', models.DateTimeField(null=True, verbose_name='closed')),
                        ('given_up', models.PositiveIntegerField(default=0, verbose_name='credits given up')),
                        ('next_attempt_at', models.DateTimeField(null=True)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'kept account',
                        'verbose_name_plural': 'kept accounts',
                        'ordering': ['-pk'],
                        'indexes': [
                            models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='credits_keptaccount_due'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(condition=models.Q(('restored_at__isnull', True)), fields=('member',), name='credits_keptaccount_one_open'),
                            models.CheckConstraint(condition=models.Q(('next_attempt_at__isnull', True), models.Q(('closed_at__isnull', True), ('restored_at__isnull', True)), _connector='OR'), name='credits_keptaccount_waits_only_open'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='EarnEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(max_length=12, verbose_name='kind')),
                        ('source', models.CharField(max_length=80, verbose_name='source')),
                        ('on', models.DateField(verbose_name='day')),
                        ('occurred_at', models.DateTimeField(verbose_name='happened')),
                        ('credits', models.PositiveIntegerField(verbose_name='credits')),
                        ('reason', models.CharField(choices=[('earned', 'earned'), ('no_rule', 'no rule applies'), ('too_small', 'too small for one credit'), ('trimmed', 'trimmed by a cap'), ('capped', 'the cap was used up'), ('rejected', 'above the cap of a purchase'), ('closed', 'the account is closed')], max_length=9, verbose_name='reason')),
                        ('parts', models.JSONField(default=list)),
                        ('trimmed', models.PositiveIntegerField(default=0, verbose_name='taken off by a cap')),
                        ('cap', models.CharField(blank=True, max_length=6, verbose_name='cap')),
                        ('op_id', models.UUIDField(editable=False, null=True)),
                        ('taken', models.PositiveIntegerField(default=0, verbose_name='taken back')),
                        ('decided_at', models.DateTimeField(verbose_name='decided')),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'earn event',
                        'verbose_name_plural': 'earn events',
                        'ordering': ['-pk'],
                        'indexes': [
                            models.Index(fields=['member', 'on'], name='credits_earnevent_usage'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('member', 'kind', 'source'), name='credits_earnevent_once'),
                            models.CheckConstraint(condition=models.Q(models.Q(('credits', 0), ('op_id__isnull', True)), models.Q(('credits__gt', 0), ('op_id__isnull', False)), _connector='OR'), name='credits_earnevent_paid_by_op'),
                            models.CheckConstraint(condition=models.Q(('taken__lte', models.F('credits'))), name='credits_earnevent_taken_within'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Invitation',
                    fields=[
                        ('member', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='members.member')),
                        ('code', models.CharField(max_length=12, unique=True, verbose_name='code')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        'verbose_name': 'invitation',
                        'verbose_name_plural': 'invitations',
                    },
                ),
                migrations.CreateModel(
                    name='Referral',
                    fields=[
                        ('friend', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='members.member')),
                        ('state', models.CharField(choices=[('waiting', 'waiting for the first purchase'), ('bought', 'bought something'), ('refused', 'was a customer before'), ('refunded', 'purchase refunded')], default='waiting', max_length=8, verbose_name='state')),
                        ('accepted_at', models.DateTimeField(verbose_name='accepted')),
                        ('charge_id', models.UUIDField(editable=False, null=True)),
                        ('settled_at', models.DateTimeField(null=True, verbose_name='settled')),
                        ('inviter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'referral',
                        'verbose_name_plural': 'referrals',
                        'ordering': ['-accepted_at'],
                        'indexes': [
                            models.Index(fields=['inviter', '-accepted_at'], name='credits_referral_of_inviter'),
                            models.Index(condition=models.Q(('charge_id__isnull', False)), fields=['charge_id'], name='credits_referral_charge'),
                        ],
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('friend', models.F('inviter')), _negated=True), name='credits_referral_not_oneself'),
                            models.CheckConstraint(condition=models.Q(models.Q(('charge_id__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('charge_id__isnull', False)), _connector='OR'), name='credits_referral_settled_by_charge'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='UnitCost',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('funder', models.SmallIntegerField(choices=[(0, 'promotional'), (1, 'paid')], verbose_name='funder')),
                        ('currency', models.CharField(max_length=3, verbose_name='currency')),
                        ('per_thousand', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='cost of 1,000 credits')),
                        ('starts_on', models.DateField(verbose_name='from')),
                    ],
                    options={
                        'verbose_name': 'unit cost',
                        'verbose_name_plural': 'unit costs',
                        'ordering': ['currency', 'funder', '-starts_on'],
                        'constraints': [
                            models.UniqueConstraint(fields=('funder', 'currency', 'starts_on'), name='credits_unitcost_once'),
                            models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='credits_unitcost_currency'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='AdjustBatch',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('public_id', models.CharField(default=functools.partial(zone.core.ids.new_public_id, *('adb',), **{}), editable=False, max_length=30, unique=True)),
                        ('status', models.CharField(choices=[('preview', 'to be decided'), ('running', 'being applied'), ('done', 'done'), ('refused', 'refused')], default='preview', max_length=7, verbose_name='status')),
                        ('file_name', models.CharField(blank=True, max_length=120, verbose_name='file')),
                        ('file_hash', models.BinaryField(max_length=32, null=True)),
                        ('reason', models.CharField(choices=[('goodwill', 'goodwill'), ('missing', 'credits that were missing'), ('mistake', 'our mistake'), ('abuse', 'abuse')], max_length=12, verbose_name='reason')),
                        ('note', models.TextField(max_length=1000, verbose_name='note')),
                        ('row_count', models.PositiveIntegerField(default=0, verbose_name='rows')),
                        ('fault_count', models.PositiveIntegerField(default=0, verbose_name='faulty rows')),
                        ('given', models.PositiveBigIntegerField(default=0, verbose_name='credits given')),
                        ('taken', models.PositiveBigIntegerField(default=0, verbose_name='credits taken')),
                        ('applied_count', models.PositiveIntegerField(default=0, verbose_name='applied')),
                        ('refused_count', models.PositiveIntegerField(default=0, verbose_name='refused by the ledger')),
                        ('limit_used', models.PositiveIntegerField(null=True, verbose_name='within a limit of')),
                        ('created_at', models.DateTimeField(verbose_name='asked')),
                        ('expires_at', models.DateTimeField(verbose_name='good until')),
                        ('decided_at', models.DateTimeField(null=True, verbose_name='decided')),
                        ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                        ('checker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                        ('maker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                        ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='credits.adjustbatch', verbose_name='undoes')),
                    ],
                    options={
                        'verbose_name': 'adjustment file',
                        'verbose_name_plural': 'adjustment files',
                        'ordering': ['-pk'],
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('checker', models.F('maker')), _negated=True), name='credits_adjustbatch_two_people'),
                            models.CheckConstraint(condition=models.Q(('status__in', ['preview', 'refused']), ('checker__isnull', False), ('limit_used__gte', django.db.models.expressions.CombinedExpression(models.F('given'), '+', models.F('taken'))), _connector='OR'), name='credits_adjustbatch_entitled'),
                            models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('status', 'preview')), models.Q(models.Q(('status', 'preview'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='credits_adjustbatch_decided'),
                            models.CheckConstraint(condition=models.Q(('note', ''), _negated=True), name='credits_adjustbatch_note'),
                            models.UniqueConstraint(condition=models.Q(models.Q(('status', 'refused'), _negated=True), ('file_hash__isnull', False)), fields=('file_hash',), name='credits_adjustbatch_file_once'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='AdjustRow',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('line', models.PositiveIntegerField(verbose_name='line')),
                        ('given_member', models.CharField(blank=True, max_length=64, verbose_name='as written')),
                        ('amount', models.IntegerField(null=True, verbose_name='credits')),
                        ('op_id', models.UUIDField(default=zone.core.ids.uuid7, editable=False, unique=True)),
                        ('status', models.CharField(choices=[('sound', 'waiting'), ('faulty', 'faulty'), ('applied', 'applied'), ('refused', 'refused by the ledger')], max_length=7, verbose_name='status')),
                        ('fault', models.CharField(blank=True, default='', max_length=40, verbose_name='why not')),
                        ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='credits.adjustbatch')),
                        ('member', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'line of an adjustment file',
                        'verbose_name_plural': 'lines of adjustment files',
                        'ordering': ['batch', 'line'],
                        'indexes': [
                            models.Index(condition=models.Q(('status', 'sound')), fields=['batch', 'member'], name='credits_adjustrow_waiting'),
                        ],
                        'constraints': [
                            models.UniqueConstraint(fields=('batch', 'line'), name='credits_adjustrow_line'),
                            models.UniqueConstraint(condition=models.Q(('status', 'faulty'), _negated=True), fields=('batch', 'member'), name='credits_adjustrow_member_once'),
                            models.CheckConstraint(condition=models.Q(('status', 'faulty'), models.Q(('amount__isnull', False), ('member__isnull', False), models.Q(('amount', 0), _negated=True)), _connector='OR'), name='credits_adjustrow_sound'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='SealWatch',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('next_block', models.BigIntegerField(default=1)),
                        ('lap_started_at', models.DateTimeField(null=True)),
                        ('lap_finished_at', models.DateTimeField(null=True)),
                        ('newest_block', models.BigIntegerField(default=0)),
                        ('change_counts', models.JSONField(default=dict)),
                        ('suspect_block', models.BigIntegerField(null=True)),
                        ('lease_until', models.DateTimeField(null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='SealFinding',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('block', models.BigIntegerField(verbose_name='block')),
                        ('what', models.CharField(max_length=80, verbose_name='what')),
                        ('member_id', models.BigIntegerField(null=True, verbose_name='member')),
                        ('op_id', models.UUIDField(null=True, verbose_name='operation')),
                        ('found_at', models.DateTimeField(verbose_name='found')),
                    ],
                    options={
                        'verbose_name': 'tampering with the ledger',
                        'verbose_name_plural': 'tampering with the ledger',
                        'ordering': ['-pk'],
                        'constraints': [
                            models.UniqueConstraint(fields=('block', 'what', 'member_id', 'op_id'), name='credits_sealfinding_once', nulls_distinct=False),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='AppleAccountFirst',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('apple_index', models.BinaryField(max_length=32)),
                        ('what', models.CharField(choices=[('link', 'link'), ('purchase', 'purchase')], max_length=8)),
                        ('at', models.DateTimeField()),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member')),
                    ],
                    options={
                        'verbose_name': 'first of an Apple account',
                        'verbose_name_plural': 'firsts of Apple accounts',
                        'constraints': [
                            models.UniqueConstraint(fields=('apple_index', 'what'), name='credits_appleaccountfirst_once'),
                        ],
                    },
                ),
            ],
        ),
        migrations.RunSQL(LATER),
        *(run_sql_file(SQL / f"{name}.sql") for name in FILES),
        migrations.RunPython(add_first_rows),
    ]
