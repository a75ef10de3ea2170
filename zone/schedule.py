"""What happens by itself, and when: the rooms' work by the clock and by events, in tables.

A room adds its work here by naming it. `zone.settings` takes the tables over.
"""

from celery.schedules import crontab

MINUTE = 60  # seconds
HOUR = 60 * MINUTE

# A task by its name, and the seconds from one start to the next.
_PERIODS: dict[str, float | crontab] = {
    "zone.core.tasks.beat_heart": 10,
    "zone.members.tasks.keep_bindings_true": MINUTE,
    "zone.members.tasks.begin_erasures": 10 * MINUTE,
    "zone.members.tasks.sweep_visits": HOUR,
    "zone.notices.tasks.send_announcements": MINUTE,
    "zone.notices.tasks.forget_members": 10 * MINUTE,
    "zone.notices.tasks.welcome_arrivals": MINUTE,
    "zone.history.tasks.ensure_history_months": 6 * HOUR,
    "zone.history.tasks.link_waiting_history": MINUTE,
    "zone.history.tasks.purge_unlinked_messages": HOUR,
    "zone.history.tasks.forget_members": 10 * MINUTE,
    "partners.sweep_records": 10 * MINUTE,
    "partners.deliver_webhooks": 5,
    "partners.write_to_contacts": 5 * MINUTE,
    "credits.forget_members": 10 * MINUTE,
    "credits.settle_bindings": 30,
    "credits.close_kept": HOUR,
    "credits.drain_earning": 5,
    "credits.lapse_holds": MINUTE,
    "credits.sweep_expiry": 10 * MINUTE,
    "credits.sweep_tiers": 30,
    "credits.seal": 5,
    "credits.check_seals": MINUTE,
    "credits.publish_seals": MINUTE,
    "credits.remind_of_expiry": 10 * MINUTE,
    "credits.drain_adjustments": 10,
    "credits.roll_flows": 30,
    "credits.make_partitions": 6 * HOUR,
    "benefits.tasks.forget_members": 10 * MINUTE,
    "benefits.tasks.drain_provider_endings": 10,
    "benefits.tasks.drain_grants": 5,
    "benefits.tasks.drain_bulk": 10,
    "benefits.tasks.drain_imports": 10,
    "benefits.tasks.fetch_statements": HOUR,
    "benefits.tasks.check_vouchers": 5 * MINUTE,
    "benefits.tasks.drain_rotations": MINUTE,
    "benefits.tasks.drain_provider_messages": 10,
    "benefits.tasks.watch_pools": 30,
    "benefits.tasks.drain_alarm_calls": 10,
    "benefits.tasks.expire_claims": 30,
    "benefits.tasks.make_drops": MINUTE,
    "benefits.tasks.drain_draws": 10,
    "benefits.tasks.settle_windows": 30,
    "benefits.tasks.drain_gifts": 10,
    "benefits.tasks.drain_groups": 10,
    "benefits.tasks.plan_openings": MINUTE,
    "benefits.tasks.tend_lines": 15,
    "benefits.tasks.drain_wishes": 15,
    "benefits.tasks.drain_trials": MINUTE,
    "benefits.tasks.drain_population": 10,
    "benefits.tasks.drain_segments": 10,
    "benefits.tasks.walk_segments_again": crontab(hour=19, minute=10),  # 03:10 there
    "benefits.tasks.expire_rule_requests": HOUR,
    "benefits.tasks.remind_of_endings": 5 * MINUTE,
    # 02:40 where the first wallets live
    "console.request_nightly_check": crontab(hour=18, minute=40),
    "console.run_open_check": 15,
}
BEAT_SCHEDULE = {name: {"task": name, "schedule": period} for name, period in _PERIODS.items()}

# The functions behind the drains: workers call them by timer while Redis is away.
DRAINS = [
    "zone.members.services.sweeps.begin_erasures",
    "zone.members.services.sweeps.keep_bindings_true",
    "zone.notices.announcing.send_announcements",
    "zone.notices.forgetting.forget_members",
    "zone.notices.arrivals.welcome_arrivals",
    "zone.history.services.forgetting.forget_members",
    "zone.history.services.linking.link_waiting",
    "credits.tasks.drain_earning",
    "credits.tasks.sweep_tiers",
    "credits.tasks.settle_bindings",
    "credits.tasks.close_kept",
    "credits.services.forgetting.forget_members",
    "credits.services.sealing.seal",
    "credits.services.adjust_batches.drain_adjustments",
    "credits.services.rollups.roll_flows",
    "credits.services.expiry.settle_expiry",
    "credits.tasks.remind_of_expiry",
    "credits.tasks.lapse_holds",
    "benefits.services.grants.drain_grants",
    "benefits.services.bulk.drain_bulk",
    "benefits.services.code_imports.drain_imports",
    "benefits.services.endings.expire_claims",
    "benefits.services.code_keys.drain_rotations",
    "benefits.services.provider_messages.drain_provider_messages",
    "benefits.services.provider_endings.drain_provider_endings",
    "benefits.services.drops.make_drops",
    "benefits.services.pool_watch.watch_pools",
    "benefits.services.alarm_hook.drain_alarm_calls",
    "benefits.services.draws.drain_draws",
    "benefits.services.gift_clock.drain_gifts",
    "benefits.services.group_clock.drain_groups",
    "benefits.services.waitlist.tend_lines",
    "benefits.services.wishes.drain_wishes",
    "benefits.services.openings.plan_openings",
    "benefits.services.trials.drain_trials",
    "benefits.services.population.drain_population",
    "benefits.services.live_segments.drain_segments",
    "benefits.services.forgetting.forget_members",
    "zone.console.services.books.run_open_check",
    # Last: a receiver that is silent holds the thread for a while.
    "zone.partners.services.deliveries.deliver_webhooks",
]

# Rung when somebody signs in for the first time; each drains the rows it is responsible for.
MEMBER_ARRIVAL_TASKS = [
    "zone.history.tasks.link_waiting_history",
    "zone.notices.tasks.welcome_arrivals",
]
# Rung when a binding begins or ends, for the rooms above that act upon it.
BINDING_TASKS = ["credits.settle_bindings"]
# Rung when a member is to be forgotten, and the rooms that each have to forget them.
ERASURE_TASKS = [
    "zone.notices.tasks.forget_members",
    "zone.history.tasks.forget_members",
    "credits.forget_members",
    "benefits.tasks.forget_members",
]
ERASURE_ROOMS = ["notices", "history", "credits", "benefits"]
