"""Tiers rise at once, fall after the grace, and say what keeps them."""

from datetime import date, timedelta

import pytest

from credits import ledger
from credits.models import MemberTier, TierMove, TierPlan
from credits.queries.tiers import get_tier
from credits.services.check_ins import check_in
from credits.services.tiers import mark_tiers_due, refresh_due_tiers, refresh_tiers
from credits.tiers import Ladder, Rung, add_months, project
from tests.credits.conftest import rows, travel
from tests.factories import sign_in
from zone.core.ids import uuid7
from zone.notices.models import Notice

RUNGS = (Rung("silver", 0), Rung("gold", 100), Rung("platinum", 300))
YEAR = Ladder(is_calendar=True, months=12, grace_days=30, rungs=RUNGS)
WINDOW = Ladder(is_calendar=False, months=12, grace_days=30, rungs=RUNGS)


@pytest.mark.parametrize(
    ("label", "today", "place", "gap", "keep_by", "to_next"),
    [
        ("before anything", date(2026, 3, 1), 0, 0, None, 100),
        ("the day it was earned", date(2026, 5, 10), 1, 0, date(2027, 12, 31), 150),
        ("the year after", date(2027, 6, 1), 1, 100, date(2027, 12, 31), 300),
        ("in the grace", date(2028, 1, 30), 1, 100, date(2028, 1, 30), 300),
        ("after the grace", date(2028, 1, 31), 0, 0, None, 100),
    ],
)
def test_a_calendar_tier_lasts_through_the_next_period_and_the_grace(
    label, today, place, gap, keep_by, to_next
):
    days = [(date(2026, 5, 10), 150)]
    at = project(YEAR, [day for day in days if day[0] <= today], today)
    assert (at.place, at.keep_gap, at.keep_by, at.to_next) == (place, gap, keep_by, to_next)


def test_a_part_of_what_keeps_a_tier_counts():
    at = project(YEAR, [(date(2026, 5, 10), 400), (date(2027, 2, 1), 80)], date(2027, 6, 1))
    assert (at.place, at.keep_gap, at.percent) == (2, 220, 100)


def test_what_a_refund_took_back_never_counted():
    at = project(YEAR, [(date(2026, 5, 10), 150), (date(2026, 5, 20), -60)], date(2026, 6, 1))
    assert (at.place, at.earned, at.to_next) == (0, 90, 10)


def test_a_tier_for_good_stays():
    ladder = Ladder(
        is_calendar=True, months=12, grace_days=0,
        rungs=(Rung("silver", 0), Rung("gold", 100, is_kept_forever=True), Rung("platinum", 300)),
    )  # fmt: skip
    at = project(ladder, [(date(2020, 5, 10), 500)], date(2027, 6, 1))
    assert (at.place, at.keep_gap, at.keep_by) == (1, 0, None)


@pytest.mark.parametrize(
    ("label", "today", "place", "gap", "keep_by", "is_in_grace"),
    [
        ("reached", date(2026, 6, 10), 1, 70, date(2027, 5, 9), False),
        ("the last day of it", date(2027, 5, 9), 1, 70, date(2027, 5, 9), False),
        ("in the grace", date(2027, 5, 10), 1, 70, date(2027, 6, 8), True),
        ("the last day of grace", date(2027, 6, 8), 1, 100, date(2027, 6, 8), True),
        ("over", date(2027, 6, 9), 0, 0, None, False),
    ],
)
def test_a_rolling_tier_ends_when_the_window_has_moved_on(
    label, today, place, gap, keep_by, is_in_grace
):
    days = [(date(2026, 5, 10), 90), (date(2026, 6, 1), 30)]
    at = project(WINDOW, days, today)
    assert (at.place, at.keep_gap, at.keep_by, at.is_in_grace) == (
        place, gap, keep_by, is_in_grace,
    )  # fmt: skip


def test_months_end_where_they_end():
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)


def earn(member, amount):
    ledger.earn(member_id=member.pk, op_id=uuid7(), amount=amount)


def test_the_cache_never_answers_for_a_journal_that_went_on(alice):
    earn(alice, 1990)
    assert refresh_tiers([alice.pk]) == 0
    assert get_tier(alice).code == "silver"
    earn(alice, 10)
    assert get_tier(alice).code == "gold"
    assert MemberTier.objects.get(member=alice).tier.code == "silver"
    assert refresh_tiers([alice.pk]) == 1
    assert refresh_tiers([alice.pk]) == 0
    [move] = TierMove.objects.all()
    assert (move.from_code, move.to_code, move.is_up, move.earned) == ("silver", "gold", True, 2000)
    assert Notice.objects.get(member=alice).kind == "tier_up"


def test_spending_and_corrections_change_no_tier(alice):
    earn(alice, 2100)
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=2000)
    ledger.adjust(member_id=alice.pk, op_id=uuid7(), amount=5000)
    assert (get_tier(alice).code, get_tier(alice).earned) == ("gold", 2100)


def test_a_tier_falls_after_its_grace_and_was_told_of_before(alice):
    earn(alice, 2100)
    refresh_tiers([alice.pk])
    today = rows("SELECT (zone_now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0]
    end = date(today.year + 1, 12, 31)

    with travel(end - today - timedelta(days=20)):
        assert refresh_due_tiers() == 1
        assert (get_tier(alice).keep_gap, get_tier(alice).keep_by) == (2000, end)
    with travel(end - today + timedelta(days=10)):
        assert refresh_due_tiers() == 1
        assert get_tier(alice).is_in_grace
    assert TierMove.objects.filter(is_up=False).count() == 0
    with travel(end - today + timedelta(days=40)):
        assert refresh_due_tiers() == 1
        assert refresh_due_tiers() == 0
        assert get_tier(alice).code == "silver"

    assert TierMove.objects.get(is_up=False).to_code == "silver"
    kinds = list(Notice.objects.filter(member=alice).order_by("id").values_list("kind", flat=True))
    assert kinds == ["tier_up", "tier_ending", "tier_ending", "tier_down"]


def test_a_member_marked_due_is_looked_at(alice):
    earn(alice, 4000)
    mark_tiers_due([alice.pk, alice.pk])
    assert get_tier(alice).code == "platinum"
    assert refresh_due_tiers() == 1
    assert refresh_due_tiers() == 0
    assert MemberTier.objects.get(member=alice).tier.code == "platinum"


def test_a_plan_that_changes_counts_at_once(alice):
    earn(alice, 150)
    refresh_tiers([alice.pk])
    plan = TierPlan.objects.get()
    plan.tiers.filter(code="gold").update(threshold=100)
    plan.save()
    assert get_tier(alice).code == "gold"


def test_home_and_credits_say_what_is_next(client, alice):
    sign_in(client, alice)
    earn(alice, 1670)
    check_in(member=alice)

    home = client.get("/").content.decode()
    assert "320 more for Gold" in home
    assert "84% of the way to Gold, 320 credits to go" in home
    page = client.get("/credits").content.decode()
    assert "<b>Silver</b>" in page
    assert "320 more for Gold" in page


def test_home_says_what_keeps_the_tier(client, alice):
    sign_in(client, alice)
    earn(alice, 2500)
    today = rows("SELECT (zone_now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0]
    with travel(date(today.year + 1, 3, 1) - today):
        earn(alice, 1680)
        home = client.get("/").content.decode()
    assert "320 more by Dec 31 to stay Gold" in home


def test_without_a_plan_there_is_no_tier(client, alice):
    sign_in(client, alice)
    TierPlan.objects.update(is_active=False)
    assert get_tier(alice) is None
    assert client.get("/").status_code == 200
    assert client.get("/credits").status_code == 200
