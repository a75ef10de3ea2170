"""Gifts pulled at from two sides at one instant: whoever wins, there is one owner.

Each race has a control: the same race with its guard taken away, which must be seen to fail.
"""

from datetime import timedelta

import pytest

from benefits.errors import ClaimInTransit
from benefits.gift_errors import AlreadyOpened, GiftOver, NotGiftable, OpenedByAnother
from benefits.models import Claim, Gift
from benefits.services import gift_clock, gift_moves, gift_opening, gifts
from benefits.services.reveal import Revealed, reveal_claim
from tests.benefits.factories import claim, make_benefit, make_release
from tests.races.test_claim_races import books, drop_constraint, make_members
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7

ROUNDS = 12


@pytest.fixture
def stage(cloned_database):
    """A giver with a claim, and two friends; each call makes a fresh claim in a box."""
    alice, bob, dora = make_members(3)
    release = make_release(make_benefit(per_member=ROUNDS * 2), codes=ROUNDS * 2)

    def box(*, opened_by=None):
        made = claim(alice, release)
        gift = gifts.send_gift(
            giver=alice, claim=made, op_id=uuid7(), now=database_now(), theme="pink"
        )
        another_day(made, made.nth)
        token = gift_moves.read_token(gift)
        if opened_by is not None:
            gift = gift_opening.open_gift(token=token, member=opened_by, now=database_now())
        return gift, token

    return alice, bob, dora, box


def another_day(made, number):
    """As if it had been sent on an earlier day: the day's limit is not what is raced for here."""
    day = database_now().date() - timedelta(days=number + 1)
    Gift.objects.filter(claim=made).update(sent_on=day)


def opening(token, member):
    return lambda: gift_opening.open_gift(token=token, member=member, now=database_now())


def recalling(gift):
    return lambda: gifts.recall_gift(gift=gift, now=database_now())


def over(gift):
    """The gift's week ends this moment, for everybody but those who looked before."""
    Gift.objects.filter(pk=gift.pk).update(
        returns_at=database_now(), next_attempt_at=database_now()
    )


def owners(gift):
    """Whose slot it is: exactly one claim may hold it."""
    made = Claim.objects.get(pk=gift.claim_id)
    holders = Claim.objects.filter(release_id=made.release_id, slot=made.slot, holds_slot=True)
    return list(holders.values_list("member_id", flat=True))


def test_recall_or_open(cloned_database, stage):
    alice, bob, _, box = stage
    for _round in range(ROUNDS):
        gift, token = box()
        recalled, opened = together([recalling(gift), opening(token, bob)])
        gift.refresh_from_db()
        outcome = (type(recalled), type(opened), gift.state)
        assert outcome in {
            (Gift, GiftOver, "recalled"),
            (AlreadyOpened, Gift, "opened"),
        }, outcome
        assert owners(gift) == [alice.pk]
    assert books(cloned_database)[0] == 0


def test_two_friends_open_one_link(cloned_database, stage):
    _, bob, dora, box = stage
    for _round in range(ROUNDS):
        gift, token = box()
        answers = together([opening(token, bob), opening(token, dora)] * 5)
        gift.refresh_from_db()
        won = {answer.receiver_id for answer in answers if isinstance(answer, Gift)}
        assert won == {gift.receiver_id}
        assert sum(isinstance(answer, OpenedByAnother) for answer in answers) == 5
    assert books(cloned_database)[0] == 0


def test_accept_or_go_back_after_a_week(cloned_database, stage):
    alice, bob, _, box = stage
    for _round in range(ROUNDS):
        gift, _token = box(opened_by=bob)
        early = database_now()  # The receiver pressed just before the week was over.
        over(gift)
        together(
            [
                lambda g=gift, now=early: gift_opening.accept_gift(gift=g, member=bob, now=now),
                gift_clock.drain_gifts,
                gift_clock.drain_gifts,
                lambda g=gift, now=early: gift_opening.decline_gift(gift=g, member=bob, now=now),
            ]
        )
        gift.refresh_from_db()
        expected = bob.pk if gift.state == "accepted" else alice.pk
        assert (gift.state in {"accepted", "returned", "declined"}, owners(gift)) == (
            True,
            [expected],
        )
    assert books(cloned_database)[0] == 0


def test_recall_or_go_back(cloned_database, stage):
    alice, _, _, box = stage
    for _round in range(ROUNDS):
        gift, _token = box()
        early = database_now()
        over(gift)
        together(
            [
                lambda g=gift, now=early: gifts.recall_gift(gift=g, now=now),
                gift_clock.drain_gifts,
                gift_clock.drain_gifts,
            ]
        )
        gift.refresh_from_db()
        assert gift.state in {"recalled", "returned"}
        assert owners(gift) == [alice.pk]
        assert Claim.objects.get(pk=gift.claim_id).frozen_at is None
    assert books(cloned_database)[0] == 0


def test_accepting_ten_times_gives_one_claim(cloned_database, stage):
    _, bob, _, box = stage
    gift, _token = box(opened_by=bob)
    answers = together(
        [
            lambda: gift_opening.accept_gift(gift=gift, member=bob, now=database_now())
            for _ in range(10)
        ]
    )
    assert {answer.pk for answer in answers} == {answers[0].pk}
    assert owners(gift) == [bob.pk]
    assert books(cloned_database)[0] == 0


def test_sent_or_shown(cloned_database, stage):
    """A code that was seen is not given away, and a gift under way is not seen."""
    alice, _, _, _box = stage
    for number in range(ROUNDS):
        made = claim(alice, make_release(make_benefit(), codes=1))
        shown, sent = together(
            [
                lambda m=made: reveal_claim(claim=m, now=database_now(), actor="member:x"),
                lambda m=made: gifts.send_gift(
                    giver=alice, claim=m, op_id=uuid7(), now=database_now(), theme="mint"
                ),
            ]
        )
        assert (type(shown), type(sent)) in {(Revealed, NotGiftable), (ClaimInTransit, Gift)}
        another_day(made, number)
    assert books(cloned_database)[0] == 0


def test_two_sends_of_one_claim(cloned_database, stage):
    alice, _, _, _box = stage
    made = claim(alice, make_release(make_benefit(), codes=1))
    answers = together(
        [
            lambda: gifts.send_gift(
                giver=alice, claim=made, op_id=uuid7(), now=database_now(), theme="mint"
            )
            for _ in range(10)
        ]
    )
    assert sum(isinstance(answer, Gift) for answer in answers) == 1
    assert sum(isinstance(answer, ClaimInTransit) for answer in answers) == 9
    assert Gift.objects.count() == 1


def unlocked(gift):
    """`lock_gift` without its locks: what a reader sees, and a rival may be changing."""
    read = Gift.objects.select_related("giver", "receiver", "claim__benefit", "claim__member")
    return read.get(pk=gift.pk)


def test_control_without_the_lock_a_gift_is_called_back_and_opened(stage, monkeypatch):
    _, bob, _, box = stage
    monkeypatch.setattr(gifts, "lock_gift", unlocked)
    monkeypatch.setattr(gift_opening, "lock_gift", unlocked)
    both = 0
    for _round in range(ROUNDS):
        gift, token = box()
        recalled, opened = together([recalling(gift), opening(token, bob)])
        both += isinstance(recalled, Gift) and isinstance(opened, Gift)
    assert both, "the control must see one gift go both ways"


def test_control_without_the_checks_a_gift_under_way_is_shown(cloned_database, stage):
    """The service refuses by itself; behind it the database would."""
    _, _, _, box = stage
    gift, _token = box()
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("ALTER TABLE benefits_claim DROP CONSTRAINT benefits_claim_frozen_whole")
        owner.execute(
            "UPDATE benefits_claim SET revealed_at = now() WHERE id = %s", [gift.claim_id]
        )
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL G2" in report


def test_control_without_the_unique_slot_verify_books_sees_two_owners(cloned_database, stage):
    _, bob, _, box = stage
    gift, _token = box(opened_by=bob)
    gift_opening.accept_gift(gift=gift, member=bob, now=database_now())
    drop_constraint(cloned_database, "benefits_claim_slot_once")
    Claim.objects.filter(pk=gift.claim_id).update(holds_slot=True)
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I18" in report
    assert "FAIL G3" in report
