"""What workers do here. Each task may run twice, be late or be lost: the rows remember."""

from celery import shared_task

from benefits.services import (
    alarm_hook,
    bulk,
    code_imports,
    code_keys,
    draws,
    drops,
    endings,
    forgetting,
    gift_clock,
    grants,
    group_clock,
    lifecycle,
    live_segments,
    notices,
    openings,
    pool_watch,
    population,
    provider_endings,
    provider_messages,
    rule_requests,
    statements,
    trials,
    voucher_checks,
    waitlist,
    wishes,
)
from zone.core.clock import database_now


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_grants() -> None:
    grants.drain_grants()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def expire_claims() -> None:
    endings.expire_claims()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_draws() -> None:
    draws.drain_draws()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def make_drops() -> None:
    drops.make_drops()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def settle_windows() -> None:
    lifecycle.settle_windows(now=database_now())


@shared_task(expires=300, time_limit=110, soft_time_limit=90)
def remind_of_endings() -> None:
    notices.remind_of_endings(now=database_now())


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_gifts() -> None:
    gift_clock.drain_gifts()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_groups() -> None:
    group_clock.drain_groups()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def tend_lines() -> None:
    waitlist.tend_lines()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_wishes() -> None:
    wishes.drain_wishes()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def plan_openings() -> None:
    openings.plan_openings()


@shared_task(expires=300, time_limit=110, soft_time_limit=90)
def drain_trials() -> None:
    trials.drain_trials()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_bulk() -> None:
    bulk.drain_bulk()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_imports() -> None:
    code_imports.drain_imports()


@shared_task(expires=600, time_limit=110, soft_time_limit=90)
def fetch_statements() -> None:
    statements.fetch_statements()


@shared_task(expires=240, time_limit=110, soft_time_limit=90)
def check_vouchers() -> None:
    voucher_checks.check_vouchers()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def watch_pools() -> None:
    pool_watch.watch_pools()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_alarm_calls() -> None:
    alarm_hook.drain_alarm_calls()


@shared_task(expires=300, time_limit=290, soft_time_limit=280)
def forget_members() -> None:
    forgetting.forget_members()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_population() -> None:
    population.drain_population()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_segments() -> None:
    live_segments.drain_segments()


@shared_task(expires=600, time_limit=110, soft_time_limit=90)
def walk_segments_again() -> None:
    live_segments.walk_again()


@shared_task(expires=600, time_limit=110, soft_time_limit=90)
def expire_rule_requests() -> None:
    rule_requests.expire_requests(now=database_now())


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_rotations() -> None:
    code_keys.drain_rotations()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_provider_messages() -> None:
    provider_messages.drain_provider_messages()


@shared_task(expires=60, time_limit=110, soft_time_limit=90)
def drain_provider_endings() -> None:
    provider_endings.drain_provider_endings()
