"""The verb behind every door: what it gives, what it refuses, and that a refusal changes nothing."""

from datetime import timedelta

import pytest

from benefits import errors, queries
from benefits.models import Benefit, Claim, ClaimEvent, SlotCounter
from benefits.services.claims import claim_benefit
from tests.benefits.factories import (
    claim,
    give_credits,
    load_codes,
    make_benefit,
    make_release,
    soon,
)
from zone.core.clock import database_now
from zone.core.errors import NotFound
from zone.core.ids import uuid7


def standing(member, release):
    """Everything a refusal must leave as it was."""
    return (
        list(Claim.objects.order_by("id").values()),
        list(SlotCounter.objects.order_by("id").values_list("next_slot", "end_slot")),
        list(release.returned_slots.values_list("slot", flat=True)),
        ClaimEvent.objects.count(),
        balance(member),
    )


def balance(member):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT available, held, debt, seq FROM ledger.account WHERE member_id = %s",
            [member.pk],
        )
        return cursor.fetchone()


def test_code_in_hand_is_granted_at_once(alice):
    release = make_release(make_benefit(valid_days=1), codes=3)
    made = claim(alice, release)
    assert (made.state, made.slot in {1, 2, 3}, made.nth, made.price_credits) == (
        "granted", True, 1, 0,
    )  # fmt: skip
    assert made.terms.text("en") == {"title": made.benefit.text("en").title, "terms": "Once each."}
    # Alice's market is UTC+8: her day ends at 16:00 UTC.
    local = made.granted_at + timedelta(hours=8)
    end = (local + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert made.valid_until.replace(tzinfo=None) == end.replace(tzinfo=None) - timedelta(
        hours=8, milliseconds=1
    )
    event = made.events.get()
    assert (event.actor, event.cause, event.from_state, event.to_state) == (
        f"member:{alice.public_id}", "claim", "", "granted",
    )  # fmt: skip


def test_priced_claim_spends_in_the_same_commit(alice):
    give_credits(alice, 500)
    release = make_release(make_benefit(price_credits=300), codes=1)
    made = claim(alice, release)
    assert made.price_credits == 300
    assert balance(alice)[:2] == (200, 0)


def test_provider_claim_holds_and_waits(alice):
    give_credits(alice, 500)
    release = make_release(make_benefit(price_credits=300), stock=2)
    made = claim(alice, release)
    assert (made.state, made.next_attempt_at is not None, made.granted_at) == (
        "reserved", True, None,
    )  # fmt: skip
    assert balance(alice)[:2] == (200, 300)


def test_credit_pack_gives_credits_and_is_used_up(alice):
    benefit = make_benefit(kind="credit_pack", detail={"credits": 50})
    made = claim(alice, make_release(benefit, mode="credits", stock=5))
    assert made.state == "redeemed"
    assert balance(alice)[:2] == (50, 0)


def test_a_retry_gets_its_first_answer(alice):
    give_credits(alice, 500)
    benefit = make_benefit(price_credits=100, per_member=2)
    release = make_release(benefit, codes=5)
    op_id = uuid7()
    first = claim(alice, release, op_id=op_id)
    Benefit.objects.filter(pk=benefit.pk).update(status="paused")
    again = claim(alice, release, op_id=op_id)
    assert again.pk == first.pk
    assert Claim.objects.count() == 1
    assert balance(alice)[0] == 400


def test_limit_counts_each_member_alone(alice, bob):
    release = make_release(make_benefit(per_member=2), codes=5)
    assert [claim(alice, release).nth, claim(alice, release).nth] == [1, 2]
    before = standing(alice, release)
    with pytest.raises(errors.LimitReached) as refused:
        claim(alice, release)
    assert refused.value.facts == {"limit": 2}
    assert standing(alice, release) == before
    assert claim(bob, release).nth == 1


def test_sold_out_leaves_credits_untouched(alice, bob):
    give_credits(bob, 500)
    give_credits(alice, 500)
    release = make_release(make_benefit(price_credits=300), codes=1)
    claim(alice, release)
    before = standing(bob, release)
    with pytest.raises(errors.SoldOut):
        claim(bob, release)
    assert standing(bob, release) == before


def test_too_few_credits_name_the_gap(alice):
    give_credits(alice, 292)
    release = make_release(make_benefit(price_credits=300), codes=1)
    before = standing(alice, release)
    with pytest.raises(errors.NotEnoughCredits) as refused:
        claim(alice, release)
    assert refused.value.facts == {"gap": 8, "available": 292}
    assert str(refused.value) == "You need 8 more credits."
    assert standing(alice, release) == before


@pytest.mark.parametrize(
    ("label", "changes", "refusal"),
    [
        ("not opened", {"claimable_from": "later"}, errors.NotStarted),
        ("over", {"claimable_until": "earlier"}, errors.Ended),
        ("paused", {"status": "paused"}, errors.Paused),
        ("ended", {"status": "ended"}, errors.Ended),
        ("a draft", {"status": "draft"}, NotFound),
        ("not yet visible", {"visible_from": "later"}, NotFound),
        ("another wallet", {"wallets": ["GCASH"]}, errors.WrongWallet),
        ("another storefront", {"storefronts": ["HKG"]}, errors.WrongStorefront),
        ("test mode", {"livemode": False}, NotFound),
    ],
)
def test_refusals_change_nothing(alice, label, changes, refusal):
    moments = {"later": soon(hours=1), "earlier": soon(hours=-1)}
    changes = {
        name: moments.get(value, value) if isinstance(value, str) else value
        for name, value in changes.items()
    }
    release = make_release(make_benefit(), codes=2)
    Benefit.objects.filter(pk=release.benefit_id).update(**changes)
    before = standing(alice, release)
    with pytest.raises(refusal):
        claim(alice, release)
    assert standing(alice, release) == before


def test_who_is_not_bound_is_shown_the_way(carol):
    release = make_release(make_benefit(), codes=1)
    with pytest.raises(errors.BindingRequired) as refused:
        claim(carol, release)
    assert (refused.value.reason, refused.value.next_step) == ("binding_required", "bind")
    open_to_all = make_release(make_benefit(requires_binding=False), codes=1)
    assert claim(carol, open_to_all).state == "granted"


def test_minors_are_refused_what_is_for_adults(alice):
    alice.is_adult = False
    alice.save(update_fields=["is_adult"])
    with pytest.raises(errors.AdultsOnly):
        claim(alice, make_release(make_benefit(requires_adult=True), codes=1))


def test_suspended_members_claim_nothing(alice):
    alice.status = "suspended"
    alice.save(update_fields=["status"])
    with pytest.raises(errors.MemberSuspended):
        claim(alice, make_release(make_benefit(), codes=1))


def test_a_price_is_not_paid_by_default(alice):
    give_credits(alice, 500)
    release = make_release(make_benefit(price_credits=300), codes=1)
    with pytest.raises(errors.PaymentRequired) as refused:
        claim_benefit(
            member=alice, release=release, op_id=uuid7(), now=database_now(),
            pays_with_credits=False,
        )  # fmt: skip
    assert refused.value.reason == "payment_required"
    assert balance(alice)[0] == 500


def test_the_database_judges_the_window_not_the_caller(alice):
    release = make_release(make_benefit(), codes=1, opens_at=soon(seconds=60))
    before = standing(alice, release)
    with pytest.raises(errors.NotStarted) as refused:
        claim_benefit(
            member=alice, release=release, op_id=uuid7(), now=database_now() + timedelta(hours=1)
        )
    assert refused.value.facts["opens_at"] == release.opens_at
    assert standing(alice, release) == before


def test_codes_that_end_first_are_sold_first_and_not_too_late(alice, bob):
    release = make_release(make_benefit(per_member=9, valid_days=None), mode="codes")
    late = soon(days=60).date().isoformat()
    early = soon(days=20).date().isoformat()
    load_codes(release, 2, expires_on=late)
    load_codes(release, 2, expires_on=early)
    ends = [queries.find_code(claim(alice, release)).expires_on.isoformat() for _ in range(4)]
    assert ends == [early, early, late, late]


def test_a_claim_cannot_be_rewritten_or_deleted(alice):
    from django.db import IntegrityError, transaction

    made = claim(alice, make_release(make_benefit(), codes=2))
    for change in ({"slot": 2}, {"price_credits": 5}, {"op_id": uuid7()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Claim.objects.filter(pk=made.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.filter(pk=made.pk)._raw_delete("default")
