"""What changes about a benefit is told within a minute, and nobody reads everybody's wishes."""

from datetime import timedelta

import pytest
from django.db import connection, transaction

from benefits.models import Benefit, Budget, BudgetShare, Claim, Quota, Wish, WishCall
from benefits.services import wishes
from benefits.services.returns import return_claim
from benefits.services.rules import set_rule
from benefits.services.stock import change_stock
from benefits.services.wishes import drain_wishes
from tests.benefits.books import travel
from tests.benefits.factories import (
    claim,
    give_credits,
    load_codes,
    make_benefit,
    make_provider,
    make_release,
    soon,
)
from tests.benefits.test_wishes import told, wish
from zone.core.clock import database_now

MEMBERS, BENEFITS = 5_000, 10

pytestmark = pytest.mark.usefixtures("sound_books")


def settle():
    """Every open wish has been looked at, and again once what it needs was noted."""
    for _ in range(2):
        Wish.objects.filter(state="open").update(looks_at=database_now())
        assert drain_wishes() == 0
    WishCall.objects.all().delete()


def paused():
    """A wish for a benefit that is paused; the pause is lifted."""
    benefit = make_benefit()
    make_release(benefit, codes=1)
    Benefit.objects.filter(pk=benefit.pk).update(status="paused")
    benefit.refresh_from_db()
    return benefit, lambda: Benefit.objects.filter(pk=benefit.pk).update(status="live")


def priced_and_gone(alice, bob, **fields):
    """A benefit alice lacked the credits for and has them by now, and nothing is left of."""
    benefit = make_benefit(price_credits=50)
    release = make_release(benefit, **fields)
    wish(alice, benefit)
    give_credits(bob, 50)
    taken = claim(bob, release)
    give_credits(alice, 50)
    return benefit, release, taken


def case(kind, alice, bob):
    """A benefit alice waits for, and what lets her have it."""
    now = database_now()
    match kind:
        case "lifted pause":
            benefit, do = paused()
            wish(alice, benefit)
            return benefit, do
        case "raised stock":
            benefit, release, _ = priced_and_gone(alice, bob, stock=1, provider=make_provider())
            return benefit, lambda: change_stock(
                release=release, expected=1, target=2, actor="operator:x", now=now
            )
        case "more codes":
            benefit, release, _ = priced_and_gone(alice, bob, codes=1)
            return benefit, lambda: load_codes(release, 1)
        case "new release":
            benefit, _, _ = priced_and_gone(alice, bob, codes=1)
            return benefit, lambda: make_release(benefit, codes=1, price_credits=0)
        case "returned slot":
            benefit, _, taken = priced_and_gone(alice, bob, codes=1)
            return benefit, lambda: return_claim(claim=taken, actor="member:x", now=database_now())
        case "earlier opening":
            benefit = make_benefit()
            release = make_release(benefit, codes=1, opens_at=soon(hours=30))
            wish(alice, benefit)
            return benefit, lambda: type(release).objects.filter(pk=release.pk).update(opens_at=now)
        case "lower price":
            benefit = make_benefit(price_credits=50)
            release = make_release(benefit, codes=1)
            wish(alice, benefit)
            return (
                benefit,
                lambda: type(release).objects.filter(pk=release.pk).update(price_credits=0),
            )
        case "another rule":
            benefit = make_benefit()
            make_release(benefit, codes=1)
            rule = {"is": "purchases", "count": 1, "days": 30}
            set_rule(benefit=benefit, tree=rule, actor="operator:x", now=now)
            wish(alice, benefit)
            return benefit, lambda: set_rule(
                benefit=benefit, tree={}, actor="operator:x", now=database_now()
            )
        case "no more limit":
            benefit = make_benefit(per_member=9)
            release = make_release(benefit, codes=3)
            quota = Quota.objects.create(
                benefit=benefit, holder="member", period="month", allowed=1
            )
            claim(alice, release)
            wish(alice, benefit)
            return benefit, lambda: Quota.objects.filter(pk=quota.pk).update(allowed=2)
        case "more budget":
            budget = Budget.objects.create(code="b", name="B", currency="CNY", amount=100)
            BudgetShare.objects.create(budget=budget, funder="apple", basis_points=10000)
            benefit = make_benefit(unit_cost=100, price_credits=50, budget=budget)
            release = make_release(benefit, codes=2)
            wish(alice, benefit)
            for member in (bob, alice):
                give_credits(member, 50)
            claim(bob, release)
            return benefit, lambda: Budget.objects.filter(pk=budget.pk).update(amount=200)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "lifted pause", "raised stock", "more codes", "new release", "returned slot",
        "earlier opening", "lower price", "another rule", "no more limit", "more budget",
    ],
)  # fmt: skip
def test_what_changes_about_a_benefit_is_told_by_the_next_look(alice, bob, kind):
    benefit, do = case(kind, alice, bob)
    settle()
    travel(seconds=1)
    assert Wish.objects.get().looks_at > database_now() + timedelta(hours=3)
    do()
    assert (drain_wishes(), drain_wishes()) == (1, 0)
    assert told(alice) == [("benefit_ready", f"/benefits/{benefit.slug}")]
    assert not WishCall.objects.exists()


def test_a_unit_that_comes_back_wakes_only_who_misses_one(alice, bob):
    """Of two who wait, one lacks credits too: to them a unit is no news, and nobody looks."""
    benefit, _, taken = priced_and_gone(alice, bob, codes=1)
    settle()
    poor = Wish.objects.create(
        member=bob, benefit=benefit, looked_at=database_now(), looks_at=soon(hours=9)
    )
    at = poor.looked_at
    return_claim(claim=taken, actor="member:x", now=database_now())
    assert drain_wishes() == 1
    poor.refresh_from_db()
    assert (poor.looked_at, Claim.objects.get().state) == (at, "returned")


def test_a_change_nobody_waits_for_leaves_no_trace(alice):
    _, do = paused()
    do()
    assert not WishCall.objects.exists()


def fill(alice):
    """`MEMBERS` copies of alice, each with a wish for each of `BENEFITS` that nobody can pay."""
    benefits = [make_benefit(price_credits=50) for _ in range(BENEFITS)]
    for benefit in benefits:
        make_release(benefit, codes=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_member (public_id, wallet_id, status, display_name, language,"
            " storefront, time_zone, is_adult, joined_at, created_at, updated_at)"
            " SELECT 'mbr_wish' || n, wallet_id, status, '', language, storefront, time_zone, true,"
            " joined_at, now(), now() FROM members_member, generate_series(1, %s) n WHERE id = %s",
            [MEMBERS, alice.pk],
        )
        cursor.execute(
            "INSERT INTO benefits_wish"
            " (benefit_id, member_id, state, looked_at, looks_at, needs_credits, needs_claims)"
            " SELECT b.id, m.id, 'open', now(), now() + interval '5 hours', 50, false"
            " FROM benefits_benefit b, members_member m WHERE m.public_id LIKE 'mbr\\_wish%%'"
        )
    return benefits


def rows_read(do):
    """What `do` answers, and how many rows of wishes it read: by scan and by index."""
    with connection.cursor() as cursor:
        counts = []
        for run in (lambda: None, do):
            answer = run()
            cursor.execute(
                "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables"
                " WHERE relname = 'benefits_wish'"
            )
            counts.append(cursor.fetchone())
    (scanned, found), (scanned_now, found_now) = counts
    return answer, scanned_now - scanned, found_now - found


def test_fifty_thousand_wishes_are_not_read_for_a_few(alice, bob):
    benefits = fill(alice)
    assert Wish.objects.count() == MEMBERS * BENEFITS
    assert rows_read(wishes._wake) == (0, 0, 0)
    wish(alice, benefits[0])
    settle_one = Wish.objects.filter(member=alice)
    for _ in range(2):
        settle_one.update(looks_at=database_now())
        drain_wishes()
    give_credits(alice, 50)
    _, scanned, found = rows_read(wishes._wake)
    assert (scanned, found <= 10) == (0, True), found
    assert settle_one.filter(looks_at__lte=database_now()).count() == 1
    # A change of one benefit wakes a piece of its wishes, and reads nobody else's.
    Benefit.objects.filter(pk=benefits[3].pk).update(sort_weight=7)
    assert WishCall.objects.count() == 1
    answer, scanned, found = rows_read(wishes._wake)
    assert (answer, scanned) == (1, 0)
    assert found <= 3 * wishes.CALL_ROWS
    woken = Wish.objects.filter(looks_at__lte=database_now(), benefit=benefits[3])
    assert woken.count() == wishes.CALL_ROWS
    assert WishCall.objects.get().after_wish == max(woken.values_list("pk", flat=True))


def test_a_call_walks_to_the_end_and_the_next_one_begins_again(alice):
    benefit = fill(alice)[0]
    change = Benefit.objects.filter(pk=benefit.pk)
    waiting = Wish.objects.filter(benefit=benefit)
    for _ in range(3):
        change.update(sort_weight=7)  # Three saves, and one walk for them all.
    walked = 0
    while wishes._wake():
        assert WishCall.objects.count() <= 1
        walked += waiting.filter(looks_at__lte=database_now()).update(looks_at=soon(hours=5))
        if walked == 2 * wishes.CALL_ROWS:
            break
    change.update(sort_weight=8)  # While one walks, the next call waits for its own.
    while wishes._wake():
        walked += waiting.filter(looks_at__lte=database_now()).update(looks_at=soon(hours=5))
    assert walked == 2 * MEMBERS
    assert not WishCall.objects.exists()


def test_the_walk_is_bounded_by_time(alice, monkeypatch):
    """A benefit a whole town waits for does not keep the worker until it is killed."""
    benefit = fill(alice)[0]
    monkeypatch.setattr(wishes, "DRAIN_SECONDS_MAX", 0)
    with transaction.atomic():
        Benefit.objects.filter(pk=benefit.pk).update(sort_weight=7)
        assert drain_wishes() == 0
    assert WishCall.objects.exists()
    assert Wish.objects.filter(looked_at__gt=database_now()).count() == 0
