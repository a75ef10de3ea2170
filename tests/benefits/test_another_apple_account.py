"""Another Apple account: missions, stamps, the streak and the tier are the member's, and stay."""

from datetime import timedelta

import pytest

from benefits.errors import BindingRequired
from benefits.models import Claim, Stamp
from credits import errors, ledger
from credits.kinds import Counter
from credits.models import CheckIn, Mission, Streak, TierMove
from credits.queries import get_balance
from credits.queries.missions import list_missions
from credits.queries.tiers import get_tier
from credits.services.check_ins import check_in
from credits.services.earning import drain_earning
from credits.services.missions import claim_mission
from credits.services.tiers import refresh_tiers
from tests.benefits.factories import make_benefit, make_release, soon
from tests.benefits.test_stamps import collect, make_board, swap
from tests.credits.conftest import travel
from tests.credits.test_apple_accounts import BLUE, ONE, OTHER, RED, buy, link, newcomer, unlink
from tests.credits.test_earning import pay
from tests.credits.test_missions import make_mission
from zone.core.clock import database_now
from zone.core.ids import uuid7

pytestmark = pytest.mark.usefixtures("sound_books")
DAY = timedelta(days=1)


@pytest.fixture
def member(db):
    Mission.objects.all().delete()
    member = newcomer(ONE)
    link(ONE, BLUE, "A1")
    return member


def link_the_other(number="A2"):
    """The member leaves the Apple account that they have now, and links the red one."""
    unlink(ONE, "A1")
    link(ONE, RED, number)


def card(member):
    [only] = list_missions(member, now=database_now())
    return only


def test_a_mission_goes_on_and_its_reward_is_given_once(member):
    make_mission(target=2)
    buy(ONE, "B1")
    link_the_other()
    assert card(member).progress == 1
    buy(ONE, "B2")
    assert claim_mission(member=member, slug="m") == 200
    unlink(ONE, "A2")
    link(ONE, BLUE, "A3")
    assert card(member).is_claimed
    with pytest.raises(errors.MissionNotDone):
        claim_mission(member=member, slug="m")


def test_a_finished_mission_waits_for_the_next_link(member):
    make_mission(target=1)
    buy(ONE, "B1")
    unlink(ONE, "A1")
    before = get_balance(member).available
    with pytest.raises(errors.BindingNeeded):
        claim_mission(member=member, slug="m")
    assert get_balance(member).available == before
    link(ONE, RED, "A2")
    assert claim_mission(member=member, slug="m") == 200
    assert get_balance(member).available == before + 200


def shop(number, *, days_ago=0):
    pay(6800, bill_no=f"S{number}", user_id=ONE, at=soon(days=-days_ago))
    drain_earning()


def test_stamps_stay_on_their_board_under_the_same_caps(member):
    treat = make_release(make_benefit(only_for_stamps=True), codes=5).benefit
    board = make_board(treat, needed=2)
    shop(1, days_ago=1)
    shop(2)
    assert collect(member) == 2
    unlink(ONE, "A1")
    with pytest.raises(BindingRequired):
        swap(member, board, treat)
    assert Stamp.objects.filter(member=member, swap=None, voided_at=None).count() == 2
    link(ONE, RED, "A2")
    shop(3)
    assert collect(member) == 0, "a second stamp on one day, whoever's Apple account it was"
    claim = swap(member, board, treat)
    assert (claim.state, Claim.objects.count()) == ("granted", 1)
    assert not Stamp.objects.filter(member=member, swap=None).exists()


def test_a_day_counts_once_whichever_account_is_linked(member):
    first = check_in(member=member)
    link_the_other()
    again = check_in(member=member)
    assert (first.is_first, again.is_first, again.credits) == (True, False, 0)
    assert again.streak == first.streak == 1
    with travel(DAY):
        assert check_in(member=member).streak == 2
    assert CheckIn.objects.count() == 2


def test_a_day_without_a_link_is_a_missed_day_like_any_other(member):
    check_in(member=member)
    with travel(DAY):
        assert check_in(member=member).streak == 2
        unlink(ONE, "A1")
    with travel(2 * DAY), pytest.raises(errors.BindingNeeded):
        check_in(member=member)
    with travel(4 * DAY):
        link(ONE, RED, "A2")
        tapped = check_in(member=member)
        assert (tapped.streak, tapped.has_restarted) == (1, True)
    assert Streak.objects.get().longest == 2


def test_a_tier_is_neither_lost_nor_counted_anew(member):
    ledger.earn(member_id=member.pk, op_id=uuid7(), amount=2000, counter=Counter.PURCHASES)
    refresh_tiers([member.pk])
    before, moves = get_tier(member), TierMove.objects.count()
    assert before.code == "gold"
    unlink(ONE, "A1")
    assert get_tier(member) == before
    link(ONE, RED, "A2")
    assert get_tier(member) == before
    assert TierMove.objects.count() == moves
    buy(ONE, "B1", amount=10_000)
    after = get_tier(member)
    assert (after.code, after.earned) == ("gold", before.earned + 100)


def test_the_member_who_links_the_old_account_next_begins_with_nothing_of_it(member):
    """What was done belongs to who did it, not to the Apple account."""
    make_mission(target=3)
    board = make_board(needed=3)
    shop(1)
    assert collect(member) == 1
    ledger.earn(member_id=member.pk, op_id=uuid7(), amount=2000, counter=Counter.PURCHASES)
    check_in(member=member)
    unlink(ONE, "A1")

    heir = newcomer(OTHER)
    link(OTHER, BLUE, "A2")
    assert (card(heir).progress, collect(heir), get_tier(heir).earned) == (0, 0, 0)
    assert check_in(member=heir).streak == 1
    assert card(member).progress == 1
    assert Stamp.objects.get(member=member).board == board
    assert get_tier(member).earned >= 2000
