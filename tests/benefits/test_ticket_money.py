"""What a ticket cost: back where there was nothing to win, and for everybody, whatever one's account is."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from benefits import errors, queries, rules
from benefits.models import (
    Benefit,
    Claim,
    DrawEntry,
    FairDraw,
    Release,
    SlotCounter,
    StampBoard,
    StampChoice,
)
from benefits.queries import draws as draw_queries
from benefits.queries.draws import view_draw
from benefits.services import draw_notices, draws, ticket_endings
from benefits.services.endings import revoke_claim
from credits import ledger
from credits.kinds import AccountStatus, Counter, Kind
from credits.models import Entry
from credits.queries import get_balance
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.test_draw_tickets import available, buyers, make_draw, make_tickets
from tests.benefits.test_draws import close
from tests.factories import make_operator, sign_in_operator
from tests.races.test_console_form_races import fields_of
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.core.models import StuckRow
from zone.notices.models import Notice

pytestmark = pytest.mark.usefixtures("sound_books")


def draw_with_tickets(number=4, **options):
    draw = make_draw(stock=2)
    release = make_tickets(draw, price=20, **options)
    members = buyers(number, credits=20)
    for member in members:
        claim(member, release)
    return draw, members


def reveal(draw):
    """The list and the seed are out; nobody has claimed yet."""
    close(draw)
    row = FairDraw.objects.select_related("release__benefit").get(pk=draw.pk)
    draws._close(row)
    draws._reveal(row)


def test_a_prize_that_has_no_units_any_more_pays_the_tickets_back(db):
    draw, members = draw_with_tickets()
    close(draw)
    SlotCounter.objects.filter(release=draw.release).update(
        sells_until=database_now() - timedelta(seconds=1)
    )
    draws.drain_draws()
    assert {entry.reason for entry in DrawEntry.objects.all()} == {"out_of_stock"}
    assert [available(member) for member in members] == [20] * 4


@pytest.mark.parametrize("is_called_off", [True, False])
def test_a_closed_account_is_paid_on_record_and_keeps_nobody_waiting(db, is_called_off):
    draw, members = draw_with_tickets()
    gone = members[0]
    if is_called_off:
        draws.cancel_draw(draw=draw, actor="operator:x", now=database_now())
    else:
        reveal(draw)
        Benefit.objects.filter(pk=draw.release.benefit_id).update(status="ended")
    ledger.close(member_id=gone.pk, reason="unlinked", actor="worker")
    draws.drain_draws()
    assert [available(member) for member in members] == [0, 20, 20, 20]
    assert set(Claim.objects.values_list("state", flat=True)) == {"revoked"}
    assert (get_balance(gone).status, StuckRow.objects.count()) == (AccountStatus.CLOSED, 0)
    rows = Entry.objects.filter(member_id=gone.pk).order_by("seq")
    assert [row.kind for row in rows] == [Kind.EARN, Kind.SPEND, Kind.REFUND, Kind.ADJUST]
    assert (rows.last().counter, rows.last().available_change) == (Counter.BREAKAGE, -20)


@pytest.mark.stuck
def test_a_ticket_that_cannot_be_settled_keeps_nobody_from_hearing(db, monkeypatch):
    draw, members = draw_with_tickets()
    reveal(draw)
    Benefit.objects.filter(pk=draw.release.benefit_id).update(status="ended")
    first = Claim.objects.get(member=members[0], mode="draw")

    def fail_at_the_first(*, claim, **how):
        if claim == first:
            raise ValueError("not this one")
        return revoke_claim(claim=claim, **how)

    with monkeypatch.context() as patch:
        patch.setattr(ticket_endings, "revoke_claim", fail_at_the_first)
        draws.drain_draws()
    assert [available(member) for member in members] == [0, 20, 20, 20]
    assert Notice.objects.filter(kind="claim_revoked").count() == 3
    StuckRow.objects.update(retry_at=database_now())
    draws.drain_draws()
    assert [available(member) for member in members] == [20] * 4
    assert not StuckRow.objects.exists()


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Benefit, {"claimable_until": timedelta(seconds=-1)}),
        (Benefit, {"visible_until": timedelta(seconds=-1)}),
        (Release, {"closes_at": timedelta(seconds=-1), "opens_at": timedelta(hours=-1)}),
        (Benefit, {"status": "ended"}),
    ],
)
def test_no_ticket_is_offered_or_sold_for_what_nobody_can_have(db, model, change):
    """Also before the worker comes by and calls the draw off."""
    draw = make_draw(stock=2)
    release = make_tickets(draw, price=20)
    (member,) = buyers(1, credits=20)
    now = database_now()
    values = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in change.items()
    }
    prize = draw.release.benefit_id if model is Benefit else draw.release_id
    assert queries.read_card(release.benefit, member, now=now).state == "claimable"
    model.objects.filter(pk=prize).update(**values)
    ticket = Benefit.objects.get(pk=release.benefit_id)
    assert queries.read_card(ticket, member, now=now).state == "ended"
    with pytest.raises(errors.EntriesClosed):
        claim(member, release)


def test_the_database_sells_none_either(db, monkeypatch):
    draw = make_draw(stock=2)
    release = make_tickets(draw, price=20)
    (member,) = buyers(1, credits=20)
    Benefit.objects.filter(pk=draw.release.benefit_id).update(claimable_until=database_now())
    monkeypatch.setattr(FairDraw, "is_vain_at", lambda draw, now: False)
    with pytest.raises(errors.EntriesClosed):
        claim(member, release)
    assert (available(member), Claim.objects.count()) == (20, 0)


def test_a_ticket_leaves_the_draw_it_entered(db):
    """Its benefit may have been given another draw in the very moment of the claim."""
    draw, (member,) = draw_with_tickets(1)
    other = make_draw()
    Benefit.objects.filter(kind="draw_ticket").update(detail={"draw": other.public_id})
    made = Claim.objects.select_related("benefit").get(member=member)
    revoke_claim(claim=made, reason="other", actor="operator:x", now=database_now())
    assert not DrawEntry.objects.filter(draw=draw).exists()


def test_a_ticket_is_not_among_what_else_there_is(db):
    """Its prize may not be for whoever reads, and its hour is read in a zone of their own."""
    make_tickets(make_draw())
    gone, other = (make_release(make_benefit(), codes=1) for _ in range(2))
    (member,) = buyers()
    now = database_now()
    cards = queries.list_similar(
        release=gone, version=str(uuid7()), facts=rules.facts_of(member, now=now), language="en",
        now=now,
    )  # fmt: skip
    assert [card.benefit.slug for card in cards] == [other.benefit.slug]


def test_very_many_entries_are_not_counted_for_each_look(db, monkeypatch):
    draw, members = draw_with_tickets(3)

    def count():
        return view_draw(draw, member=None, now=database_now()).entry_count

    assert count() == 3
    revoke_claim(
        claim=Claim.objects.get(member=members[0]), reason="other", actor="x", now=database_now()
    )
    assert count() == 2, "few are counted each time"
    monkeypatch.setattr(draw_queries, "COUNTED_ANEW_MAX", 2)
    monkeypatch.setattr(draw_queries, "_counted", {})
    assert count() == 2
    revoke_claim(
        claim=Claim.objects.get(member=members[1]), reason="other", actor="x", now=database_now()
    )
    assert count() == 2
    monkeypatch.setattr(draw_queries, "_counted", {})
    assert count() == 1


def test_winning_costs_no_more_than_when_one_entered(client, db):
    draw = make_draw(wins=2, entry_by="member", price_credits=10)
    sign_in_operator(client, make_operator("editor"))
    address = f"/console/benefits/release/{draw.release_id}/change/"
    data = fields_of(client, address)

    def save(**changes):
        answer = client.post(address, {**data, **changes})
        release = Release.objects.get(pk=draw.release_id)
        return answer.status_code, release.price_credits, release.per_member

    assert save(price_credits=11) == (200, 10, 2)
    assert save(per_member=1) == (200, 10, 2)
    assert save(price_credits=9, per_member=3) == (302, 9, 3)
    draws.cancel_draw(draw=draw, actor="operator:x", now=database_now())
    assert save(price_credits=11, per_member=1) == (302, 11, 1)


def test_stamps_buy_no_ticket(db):
    """They would not come back when its draw is called off."""
    ticket = make_tickets(make_draw()).benefit
    with pytest.raises(ValidationError) as refused:
        StampChoice(board=StampBoard(), benefit=ticket).clean()
    assert list(refused.value.message_dict) == ["benefit"]
    ticket.only_for_stamps = True
    with pytest.raises(ValidationError) as refused:
        ticket.clean()
    assert list(refused.value.message_dict) == ["only_for_stamps"]


def test_whoever_is_paid_back_does_not_wait_until_everybody_has_heard(db, monkeypatch):
    off, losers = draw_with_tickets(2)
    done, _others = draw_with_tickets(3)
    draws.cancel_draw(draw=off, actor="operator:x", now=database_now())
    close(done)
    monkeypatch.setattr(draw_notices, "TELL_ENTRIES", 1)
    with monkeypatch.context() as hurry:
        hurry.setattr(draws, "SHARE_SECONDS_MAX", 0.0)
        draws.drain_draws()
    untold = DrawEntry.objects.filter(draw=done, told_at=None)
    assert (untold.count(), [available(loser) for loser in losers]) == (2, [20, 20])
    draws.drain_draws()
    assert not untold.exists()
