"""Who is forgotten leaves no name in a gift with friends, and no credit of anybody's behind."""

import pytest

from benefits.models import Claim, Gift, GroupGift, GroupPart
from benefits.services.gift_opening import decline_gift
from benefits.verify import INVARIANTS as CLAIMS_HOLD
from credits.verify import INVARIANTS as BOOKS_HOLD
from tests.benefits.factories import give_credits
from tests.benefits.gifting import accept, open_
from tests.benefits.grouping import (
    make_friend,
    make_priced_release,
    parts_of,
    put_in,
    standing,
    start,
    wallet_of,
)
from tests.benefits.test_erasure import CANARY, erase, person, tables_naming  # noqa: F401
from tests.credits.conftest import rows
from zone.core.clock import database_now
from zone.notices.models import Notice

pytestmark = pytest.mark.django_db
WORDS = {"words": "Canary hug", "signed_by": "Canary", "receiver_name": "Bo Canary"}


def sound():
    for invariant in (*BOOKS_HOLD, *CLAIMS_HOLD):
        if not invariant.is_liveness:
            assert rows(invariant.sql) == [], invariant.id


@pytest.fixture
def canary(person):  # noqa: F811
    give_credits(person, 100)
    return person


def test_a_starters_collecting_gift_is_called_off(canary):
    ben = make_friend()
    group = start(canary, make_priced_release(), days=30, **WORDS)
    put_in(group, ben, 5)
    erase(canary)
    assert standing(group) == ("called_off", 0)
    assert wallet_of(ben) == (100, 0)
    assert Notice.objects.filter(member=ben, kind="group_called_off").count() == 1
    assert tables_naming(CANARY) == []
    sound()


def test_a_friends_part_goes_and_the_gift_goes_on(canary):
    ann = make_friend()
    group = start(ann, make_priced_release(), days=30)
    put_in(group, canary, 5, signed_by="Canary")
    erase(canary)
    assert standing(group) == ("collecting", 10)
    assert parts_of(group) == [(10, "held", 0), (5, "released", 0)]
    assert tables_naming(CANARY) == []
    sound()


def test_a_starters_unopened_box_gives_the_friends_their_shares(canary):
    ben = make_friend()
    group = start(canary, make_priced_release(), **WORDS)
    put_in(group, ben, 20)
    erase(canary)
    # The starter's own share is given up with the account; a week on the way had passed.
    assert (standing(group)[0], wallet_of(ben)) == ("returned", (96, 0))
    assert (Claim.objects.get().state, Gift.objects.get().is_under_way) == ("returned", False)
    assert tables_naming(CANARY) == []
    sound()


def test_the_share_of_what_a_friend_paid_before_is_given_up(canary):
    ann, zoe = make_friend(), make_friend()
    group = start(ann, make_priced_release())
    put_in(group, canary, 20, signed_by="Canary")
    gift = open_(GroupGift.objects.get().gift, zoe)
    Gift.objects.update(returns_at="2030-01-01T00:00:00Z", next_attempt_at="2030-01-01T00:00:00Z")
    erase(canary)
    assert GroupPart.objects.get(member=canary).signed_by == ""
    decline_gift(gift=gift, member=zoe, now=database_now())
    assert parts_of(group) == [(10, "taken", 8), (20, "taken", 16)]
    assert standing(group)[0] == "returned"
    sound()


def test_the_name_of_whom_it_was_for_goes_with_them(canary):
    ann, ben = make_friend(), make_friend()
    group = start(ann, make_priced_release(), receiver_name="Bo Canary")
    put_in(group, ben, 20)
    accept(open_(GroupGift.objects.get().gift, canary), canary)
    assert "public.benefits_groupgift" in tables_naming(CANARY)
    erase(canary)
    assert tables_naming(CANARY) == []
    assert standing(group)[0] == "complete"
    sound()
