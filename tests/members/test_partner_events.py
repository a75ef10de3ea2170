"""Partners hear what became of a member they know, and nobody else does."""

import pytest

from credits.models import Freeze
from credits.services.standing import freeze_member, thaw_member
from tests.api.caller import Caller, make_partner
from tests.factories import make_member, make_operator
from zone.core.clock import database_now
from zone.members.models import Member
from zone.members.services.partner_members import introduce_member
from zone.members.services.standing import reactivate_member, suspend_member
from zone.partners.models import Event


@pytest.fixture
def member(db):
    return make_member()


@pytest.fixture
def acme(member):
    partner = make_partner("acme")
    make_partner("stranger")
    return introduce_member(partner=partner, member=member, external_id="a-1")


def told():
    return list(Event.objects.order_by("id").values_list("partner__slug", "type", "object_id"))


def freeze(member):
    operator = make_operator("support")
    row = Freeze(member=member, reason="fraud", note="card reports")
    freeze_member(row, operator=operator)
    return row, operator


def test_every_partner_that_knows_a_paused_member_is_told_once(member, acme):
    beta = introduce_member(partner=make_partner("beta"), member=member)
    assert suspend_member(member=member, actor="operator:x", now=database_now())
    assert not suspend_member(member=member, actor="operator:x", now=database_now())

    assert told() == [
        ("acme", "member.suspended", acme.public_id),
        ("beta", "member.suspended", beta.public_id),
    ]
    event = Event.objects.get(partner=acme.partner)
    assert event.previous == {"status": "active"}
    assert event.data == Caller.of(acme.partner).get(f"/members/{acme.public_id}").json()
    assert (event.data["status"], event.data["external_id"]) == ("suspended", "a-1")


def test_a_frozen_member_is_suspended_to_partners_and_hears_of_it_once(member, acme):
    row, operator = freeze(member)
    assert told() == [("acme", "member.suspended", acme.public_id)]
    assert Event.objects.get().data["status"] == "suspended"

    suspend_member(member=Member.objects.get(), actor="operator:x", now=database_now())
    reactivate_member(member=Member.objects.get(), actor="operator:x", now=database_now())
    thaw_member(freeze_id=row.pk, note="fine", operator=operator)
    assert len(told()) == 1

    suspend_member(member=Member.objects.get(), actor="operator:x", now=database_now())
    assert list(Event.objects.order_by("id").values_list("sequence", flat=True)) == [1, 2]


def test_a_member_no_partner_knows_is_nobodys_news(member):
    suspend_member(member=member, actor="operator:x", now=database_now())
    assert told() == []
