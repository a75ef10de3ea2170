"""Undo against reveal, ten roll-backs, two replacements: one outcome each, by real threads."""

import time
from collections import Counter
from functools import partial

from django.db.models import QuerySet

from benefits.models import Claim, Redemption
from benefits.services import pools, redemptions
from benefits.services.endings import reissue_claim
from benefits.services.redemptions import redeem_claim, roll_back_redemption
from benefits.services.returns import return_claim
from benefits.services.reveal import Revealed, reveal_claim
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.benefits.test_claim_benefit import balance
from tests.databases import verify_books
from tests.factories import bind, make_member
from tests.threads import together
from zone.core.clock import database_now

ROUNDS = 12
BEFORE_SECONDS, SLOW_SECONDS = 0.15, 0.5


def make_rich_member(amount=100):
    member = make_member()
    bind(member)
    give_credits(member, amount)
    return member


def assert_books_are_sound(database):
    code, report = verify_books(database)
    assert code == 0, report


def test_a_claim_is_seen_or_undone_never_both(cloned_database):
    outcomes: Counter[str] = Counter()
    release = make_release(make_benefit(price_credits=40), codes=ROUNDS)
    for _ in range(ROUNDS):
        member = make_rich_member()
        made = claim(member, release)
        now = database_now()
        seen, undone = together(
            [
                lambda c=made, n=now: reveal_claim(claim=c, now=n, actor="member:x"),
                lambda c=made, n=now: return_claim(claim=c, now=n, actor="member:x"),
            ]
        )
        made.refresh_from_db()
        assert isinstance(seen, Revealed) != isinstance(undone, Claim), (seen, undone)
        expected = ("granted", 60) if isinstance(seen, Revealed) else ("returned", 100)
        assert (made.state, balance(member)[0]) == expected
        outcomes[made.state] += 1
    assert sum(outcomes.values()) == ROUNDS
    assert_books_are_sound(cloned_database)


def slowly(verb):
    """The same, after a while."""

    def wait(*args, **how):
        time.sleep(SLOW_SECONDS)
        return verb(*args, **how)

    return wait


def lock_nothing(monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)


def test_control_without_the_lock_a_claim_is_seen_and_undone(cloned_database, monkeypatch):
    lock_nothing(monkeypatch)
    monkeypatch.setattr(pools, "open_code", slowly(pools.open_code))
    member = make_rich_member()
    made = claim(member, make_release(make_benefit(price_credits=40), codes=1))
    now = database_now()

    def undo():
        time.sleep(BEFORE_SECONDS)
        return return_claim(claim=made, now=now, actor="member:x")

    seen, undone = together([partial(reveal_claim, claim=made, now=now, actor="member:x"), undo])
    assert isinstance(seen, Revealed), seen
    assert isinstance(undone, Claim), undone
    assert balance(member)[0] == 100, "paid back, and the code was seen"
    code, report = verify_books(cloned_database)
    assert (code, "FAIL I21b" in report) == (1, True), report


def test_ten_roll_backs_are_one(cloned_database):
    made = claim(make_rich_member(), make_release(make_benefit(), codes=1))
    used = redeem_claim(claim=made, now=database_now(), actor="partner:x")
    answers = together(
        [
            lambda: roll_back_redemption(redemption=used, now=database_now(), actor="partner:x")
            for _ in range(10)
        ]
    )
    assert {type(answer) for answer in answers} == {Redemption}
    assert len({answer.rolled_back_at for answer in answers}) == 1
    assert made.events.filter(cause="roll_back").count() == 1
    made.refresh_from_db()
    assert made.state == "granted"
    assert_books_are_sound(cloned_database)


def test_control_without_the_lock_ten_roll_backs_are_more_than_one(cloned_database, monkeypatch):
    lock_nothing(monkeypatch)
    monkeypatch.setattr(redemptions, "_part_of", slowly(redemptions._part_of))
    made = claim(make_rich_member(), make_release(make_benefit(), codes=1))
    used = redeem_claim(claim=made, now=database_now(), actor="partner:x")
    answers = together(
        [
            lambda: roll_back_redemption(redemption=used, now=database_now(), actor="partner:x")
            for _ in range(10)
        ]
    )
    assert len({answer.rolled_back_at for answer in answers}) > 1, answers


def test_ten_uses_are_one(cloned_database):
    made = claim(make_rich_member(), make_release(make_benefit(), codes=1))
    answers = together(
        [lambda: redeem_claim(claim=made, now=database_now(), actor="partner:x") for _ in range(10)]
    )
    kinds = Counter(type(answer).__name__ for answer in answers)
    assert kinds == {"Redemption": 1, "AlreadyRedeemed": 9}
    assert_books_are_sound(cloned_database)


def test_a_double_click_makes_one_replacement(cloned_database):
    made = claim(make_rich_member(), make_release(make_benefit(), codes=9))
    answers = together(
        [
            lambda: reissue_claim(claim=made, now=database_now(), actor="operator:x")
            for _ in range(6)
        ]
    )
    assert len({answer.public_id for answer in answers}) == 1
    assert Claim.objects.count() == 2
    assert_books_are_sound(cloned_database)


def test_control_without_the_lock_ten_uses_are_more_than_one(cloned_database, monkeypatch):
    """The same race when nobody waits for the claim's row: the harness must see it."""
    monkeypatch.setattr(redemptions, "lock_claim", lambda c: Claim.objects.get(pk=c.pk))
    monkeypatch.setattr(redemptions, "move_claim", lambda *_, **__: True)
    made = claim(make_rich_member(), make_release(make_benefit(), codes=1))
    answers = together(
        [
            lambda: redemptions.redeem_claim(claim=made, now=database_now(), actor="partner:x")
            for _ in range(10)
        ]
    )
    assert sum(isinstance(answer, Redemption) for answer in answers) > 1
    code, report = verify_books(cloned_database)
    assert (code, "FAIL I42" in report) == (1, True), report
