"""A gift with friends where one may not pay, where its starter has theirs, and where one is gone."""

import pytest
from django.test import Client

from benefits import errors
from benefits.group_queries import list_groups
from benefits.models import Claim, Gift, GroupGift, GroupPart
from benefits.services import holds, waitlist
from benefits.services.gift_opening import decline_gift
from credits import ledger
from credits.kinds import AccountStatus, Counter, Kind
from credits.models import Entry, Freeze
from credits.queries import get_balance
from credits.services.standing import freeze_member
from tests.benefits.factories import claim
from tests.benefits.gifting import accept, open_, send, told
from tests.benefits.grouping import (
    make_friend,
    make_priced_release,
    parts_of,
    put_in,
    standing,
    start,
    wallet_of,
)
from tests.factories import make_operator, sign_in
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Member
from zone.notices.models import Notice

pytestmark = pytest.mark.usefixtures("sound_books")


@pytest.fixture
def friends(db):
    return [make_friend() for _ in range(3)]


def freeze(member):
    stop = Freeze(member=member, reason="fraud", note="Looks wrong")
    freeze_member(stop, operator=make_operator("support"))


def test_a_part_that_cannot_be_taken_goes_back_and_the_gift_waits(friends):
    ann, ben, dora = friends
    group = start(ann, make_priced_release())
    put_in(group, ben, 5)
    freeze(ben)
    put_in(group, dora, 15)
    assert standing(group) == ("collecting", 25)
    assert parts_of(group) == [(10, "held", 0), (5, "released", 0), (15, "held", 0)]
    assert (wallet_of(ben), wallet_of(dora)) == ((100, 0), (85, 15))
    (gap,) = Notice.objects.filter(member=ann, kind="group_gap")
    assert gap.facts["credits"] == 5
    assert told(ben)[-1:] == ["group_part_back"]
    assert Claim.objects.count() == 0
    put_in(group, dora, 5)
    assert standing(group) == ("complete", 30)


def test_the_page_says_so_to_who_would_have_completed_it(friends):
    ann, ben, dora = friends
    group = start(ann, make_priced_release())
    put_in(group, ben, 5)
    put_in(group, dora, 1)
    Member.objects.filter(pk=ben.pk).update(frozen_at=database_now())
    phone = Client()
    sign_in(phone, dora)
    answer = phone.post(
        f"/gifts/together/{group.public_id}/part",
        {"op_id": str(uuid7()), "amount": "14", "signed_by": "D"},
        follow=True,
    )
    assert "Another part had to go back" in answer.content.decode()
    starter = Client()
    sign_in(starter, ann)
    inbox = starter.get("/inbox").content.decode()
    assert "5 credits are missing again for" in inbox
    assert "anybody can put it in until the end" in inbox
    Member.objects.filter(pk=ben.pk).update(frozen_at=None)
    back = Client()
    sign_in(back, ben)
    assert "is yours again" in back.get("/inbox").content.decode()


def test_who_gave_theirs_away_starts_nothing_that_would_fall_through(friends):
    """What was given away counts to a limit: what a claim refuses is refused before anybody pays."""
    ann, zoe, _ = friends
    release = make_priced_release(codes=3)
    accept(open_(send(claim(ann, release)), zoe), zoe)
    with pytest.raises(errors.LimitReached):
        start(ann, release)
    assert (GroupGift.objects.count(), wallet_of(ann)[1]) == (0, 0)
    with pytest.raises(errors.LimitReached):
        waitlist.join_waitlist(member=ann, release=release, now=database_now())
    with pytest.raises(errors.LimitReached):
        holds.hold_unit(
            member=ann, release=release, op_id=uuid7(), lasts=holds.HOLD_FOR_MAX, partner_id=1,
            livemode=True, external_id="x", now=database_now(),
        )  # fmt: skip


def test_who_has_theirs_is_told_why_there_is_no_form(friends):
    ann, ben, _ = friends
    release = make_priced_release()
    claim(ann, release)
    address = f"/benefits/{release.benefit.slug}/together"
    for member, said in ((ann, str(errors.LimitReached(limit=1))), (ben, None)):
        phone = Client()
        sign_in(phone, member)
        answer = phone.get(address, follow=True)
        assert answer.status_code == 200
        assert [path for path, _ in answer.redirect_chain] == (
            [f"/benefits/{release.benefit.slug}"] if said else []
        )
        assert said is None or said in answer.content.decode()


def test_the_share_of_a_closed_account_is_given_up_on_record(friends):
    ann, ben, zoe = friends
    group = start(ann, make_priced_release())
    put_in(group, ben, 20)
    gift = open_(Gift.objects.get(), zoe)
    ledger.adjust(member_id=ben.pk, op_id=uuid7(), amount=-80, counter=Counter.BREAKAGE)
    ledger.close(member_id=ben.pk, reason="erased", actor="worker")
    Member.objects.filter(pk=ben.pk).update(status="erased")
    decline_gift(gift=gift, member=zoe, now=database_now())
    assert parts_of(group) == [(10, "taken", 8), (20, "taken", 16)]
    assert get_balance(ben).status == AccountStatus.CLOSED
    given_up = Entry.objects.filter(member_id=ben.pk).order_by("-seq")[:2]
    assert [(row.kind, row.counter, row.available_change) for row in given_up] == [
        (Kind.ADJUST, Counter.BREAKAGE, -16),
        (Kind.REFUND, Counter.BENEFITS, 16),
    ]
    assert GroupPart.objects.get(member=ben).refunded == 16
    assert "group_returned" not in told(ben)
    assert "group_returned" in told(ann)


def test_the_gift_centre_lists_what_one_started_and_what_one_is_in_once(friends):
    ann, ben, dora = friends
    own, both, hers = (start(who, make_priced_release()) for who in (ann, ann, ben))
    put_in(both, ann, 1)
    put_in(hers, ann, 1)
    put_in(hers, ann, 2)
    start(dora, make_priced_release())
    assert list_groups(ann) == [hers, both, own]
    assert list_groups(ben) == [hers]
