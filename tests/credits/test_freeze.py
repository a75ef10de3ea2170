"""A frozen member reads everything and does nothing; who did it, and why, is on record."""

import pytest
from django.db import IntegrityError, transaction

from benefits.errors import MemberSuspended
from benefits.models import Claim
from credits import errors, ledger
from credits.kinds import AccountStatus
from credits.models import Freeze
from credits.queries import get_balance
from credits.services.check_ins import check_in
from credits.services.missions import claim_mission
from credits.services.standing import (
    AlreadyFrozen,
    NotFrozen,
    freeze_member,
    settle_bindings,
    thaw_member,
)
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.credits.conftest import rows
from tests.factories import make_operator, sign_in, sign_in_operator
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members import middleware
from zone.members.models import Member
from zone.members.services.bindings import record_binding_status


@pytest.fixture
def operator(db):
    return make_operator("support")


def freeze(member, operator):
    row = Freeze(member=member, reason="fraud", note="Twenty claims in a minute")
    freeze_member(row, operator=operator)
    member.refresh_from_db()
    return row


def test_every_verb_of_credits_refuses_and_nothing_moves(alice, operator):
    give_credits(alice, 500)
    freeze(alice, operator)

    for act in (
        lambda: ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=1),
        lambda: ledger.hold(member_id=alice.pk, op_id=uuid7(), amount=1),
        lambda: ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=1),
        lambda: check_in(member=alice),
        lambda: claim_mission(member=alice, slug="three-purchases"),
    ):
        with pytest.raises((errors.MemberFrozen, errors.NotFound)):
            act()
    assert get_balance(alice).available == 500


def test_a_free_claim_is_refused_as_well_as_a_paid_one(alice, operator):
    release = make_release(make_benefit(), codes=1)
    freeze(alice, operator)
    with pytest.raises(MemberSuspended):
        claim(alice, release)
    assert not Claim.objects.exists()


def test_pages_are_read_and_posts_are_refused(client, alice, operator):
    made = claim(alice, make_release(make_benefit(), codes=1))
    sign_in(client, alice)
    freeze(alice, operator)

    for path in ("/", "/credits", "/benefits", "/me", "/activity", "/me/benefits", "/inbox"):
        assert client.get(path).status_code == 200, path
    for path in ("/check-in", f"/me/benefits/{made.public_id}/reveal", "/gifts/new"):
        answer = client.post(path)
        assert answer.status_code in (404, 409), path
    refused = client.post("/check-in")
    assert refused.status_code == 409
    assert alice.public_id in refused.content.decode()
    panel = client.post("/check-in", headers={"HX-Request": "true"})
    assert panel["HX-Redirect"] == "/me/on-hold"
    assert client.get("/me/on-hold").status_code == 200
    assert client.post("/sign-out").status_code == 303
    made.refresh_from_db()
    assert made.revealed_at is None


def test_the_guard_is_what_refuses(client, alice, operator, monkeypatch):
    """Control: without the guard of the door, the same post reaches its view."""
    monkeypatch.setattr(middleware, "refuse_frozen", lambda request: None)
    sign_in(client, alice)
    freeze(alice, operator)
    assert client.post("/settings/language", {"language": "en"}).status_code == 302
    assert client.post("/check-in").status_code != 409


def test_thawing_goes_on_where_it_stopped(alice, operator):
    give_credits(alice, 500)
    row = freeze(alice, operator)
    with pytest.raises(AlreadyFrozen):
        freeze(alice, operator)

    thaw_member(freeze_id=row.pk, note="It was a test device", operator=operator)

    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=200)
    assert get_balance(alice).available == 300
    assert not Member.objects.get(pk=alice.pk).is_frozen
    with pytest.raises(NotFrozen):
        thaw_member(freeze_id=row.pk, note="again", operator=operator)
    assert rows(
        "SELECT from_status, to_status, reason, actor FROM ledger.status_event ORDER BY at"
    ) == [
        (0, 1, "fraud", f"operator:{operator.username}"),
        (1, 0, "thawed", f"operator:{operator.username}"),
    ]


def test_thawing_does_not_open_what_unlinking_froze(alice, operator):
    binding = alice.bindings.get()
    record_binding_status(binding=binding, status="unbound", occurred_at=database_now())
    settle_bindings()
    row = freeze(alice, operator)
    thaw_member(freeze_id=row.pk, note="ok", operator=operator)
    assert get_balance(alice).status == AccountStatus.FROZEN


def test_the_database_wants_a_name_and_a_reason_for_letting_go(alice, operator):
    row = freeze(alice, operator)
    with pytest.raises(IntegrityError), transaction.atomic():
        Freeze.objects.filter(pk=row.pk).update(thawed_at=database_now())


def test_support_freezes_and_thaws_in_the_console(client, alice, operator):
    sign_in_operator(client, operator)
    answer = client.post(
        "/console/credits/freeze/add/",
        {"member": alice.public_id, "reason": "fraud", "note": "Reported by the wallet"},
    )
    assert answer.status_code == 302, answer.content.decode()[:2000]
    row = Freeze.objects.get()
    assert (row.frozen_by, row.thawed_at) == (operator, None)
    assert get_balance(alice).is_frozen
    twice = client.post(
        "/console/credits/freeze/add/", {"member": alice.public_id, "reason": "fraud", "note": "x"}
    )
    assert "frozen already" in twice.content.decode()
    address = f"/console/credits/freeze/{row.pk}/change/"
    assert "Say why" in client.post(address, {"thaw_note": ""}).content.decode()
    assert client.post(address, {"thaw_note": "Cleared"}).status_code == 302
    row.refresh_from_db()
    assert (row.thaw_note, row.thawed_by) == ("Cleared", operator)
    assert not get_balance(alice).is_frozen
