"""What a draw ticket promises, and what may be one: kept by the books, the form and readiness."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from benefits import errors
from benefits.models import Benefit, DrawEntry, FairDraw, Release
from benefits.services import draws, ticket_endings
from benefits.services.readiness import list_findings
from benefits.verify import INVARIANTS as BENEFIT_INVARIANTS
from tests.benefits.factories import claim, make_benefit, make_release, soon
from tests.benefits.test_draw_tickets import (
    TICKET,
    available,
    broken_promises,
    buyers,
    close,
    make_draw,
    make_tickets,
)
from tests.benefits.test_draw_tickets import buyer as buyer
from tests.benefits.test_erasure import erase
from tests.benefits.test_erasure import person as person
from zone.core.clock import database_now
from zone.core.models import StuckRow


@pytest.mark.parametrize(
    ("promise", "corruption"),
    [
        ("I64", "DELETE FROM benefits_drawentry"),
        ("I64", "UPDATE benefits_drawentry SET ticket_id = NULL"),
        ("I64", "UPDATE benefits_claim SET state = 'returned' WHERE mode = 'draw'"),
        ("I64", "UPDATE benefits_claim SET state = 'redeemed' WHERE mode = 'draw'"),
        ("I64", "UPDATE benefits_fairdraw SET entry_by = 'member'"),
        (
            "I65",
            "UPDATE benefits_fairdraw SET state = 'closed', entries_root = 'x', closed_at = now()",
        ),
        (
            "I65",
            "UPDATE benefits_fairdraw SET state = 'closed', entries_root = 'x', entry_count = 1,"
            " closed_at = now() - interval '1 day'",
        ),
    ],
)
def test_a_broken_promise_is_found(buyer, promise, corruption):
    claim(buyer, make_tickets(make_draw()))
    assert broken_promises() == []
    with connection.cursor() as cursor:
        cursor.execute(corruption)
    assert promise in broken_promises()


def test_tickets_of_a_draw_called_off_long_ago_are_missed(buyer):
    draw = make_draw()
    claim(buyer, make_tickets(draw))
    (late,) = (promise for promise in BENEFIT_INVARIANTS if promise.id == "I66")
    with connection.cursor() as cursor:
        for age, rows in (("1 min", 0), ("1 hour", 1)):
            cursor.execute(
                "UPDATE benefits_fairdraw SET state = 'canceled',"
                " finished_at = now() - %s::interval",
                [age],
            )
            cursor.execute(late.sql)
            assert len(cursor.fetchall()) == rows


def faults_of(**fields):
    draw = make_draw()
    values = {**TICKET, "detail": {"draw": draw.public_id}, "status": "draft", **fields}
    benefit = make_benefit(**{**values, "claimable_until": draw.entries_close_at, **fields})
    make_release(benefit, mode="draw", stock=5)
    return benefit, draw


def test_a_ticket_goes_out_only_while_its_draw_takes_it(db):
    def blocking(benefit):
        found = list_findings(benefit, now=database_now())
        return [finding.sentence for finding in found if finding.blocks]

    benefit, draw = faults_of()
    assert blocking(benefit) == []
    benefit.claimable_until = soon(hours=2)
    assert any("entries close" in sentence for sentence in blocking(benefit))
    benefit.claimable_until = draw.entries_close_at
    Benefit.objects.filter(pk=draw.release.benefit_id).update(status="draft")
    assert blocking(benefit) == ["what can be won is not approved: approve the prize first"]
    close(draw)
    assert any("takes no entries" in sentence for sentence in blocking(benefit))


def test_what_a_ticket_cannot_be_is_refused_with_a_word(db):
    benefit, _draw = faults_of()
    benefit.full_clean(exclude=["status"])
    for field, value in (
        ("valid_days", 30), ("usable_until", soon(days=1)), ("is_giftable", True),
        ("requires_adult", False), ("detail", {}), ("detail", {"draw": "tomorrow's"}),
    ):  # fmt: skip
        other = Benefit.objects.get(pk=benefit.pk)
        setattr(other, field, value)
        with pytest.raises(ValidationError):
            other.full_clean(exclude=["status"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Benefit.objects.filter(pk=benefit.pk).update(is_giftable=True)
    Benefit.objects.filter(pk=benefit.pk).update(status="live")
    claim(buyers()[0], benefit.releases.get())
    benefit.detail = {"draw": make_draw().public_id}
    with pytest.raises(ValidationError, match="Tickets are out"):
        benefit.full_clean(exclude=["status"])
    for kind, mode in ((benefit, "credits"), (make_benefit(), "draw")):
        with pytest.raises(ValidationError):
            Release(benefit=kind, mode=mode, opens_at=soon(hours=1)).clean()


def test_what_must_not_be_a_prize_is_not_announced(db):
    now = database_now()
    window = {"entries_open_at": now, "entries_close_at": soon(minutes=5)}
    ticket = make_benefit(**TICKET, detail={"draw": make_draw().public_id})
    dear = make_benefit(unit_cost=50_001_00, unit_cost_currency="CNY")
    for release in (
        make_release(ticket, mode="draw", stock=1, opens_at=soon(hours=1)),
        make_release(dear, codes=1, opens_at=soon(hours=1)),
    ):
        with pytest.raises(errors.DrawRefused):
            draws.announce_draw(release=release, actor="operator:x", now=now, **window)


@pytest.mark.parametrize("is_published", [False, True])
def test_tickets_of_whoever_is_forgotten_do_not_win(person, is_published):
    """Out of the draw while its list is not published; afterwards listed, and passed over."""
    draw = make_draw(stock=1)
    claim(person, make_tickets(draw))
    FairDraw.objects.filter(pk=draw.pk).update(
        beacon_name="numbers", entries_close_at=database_now() + timedelta(days=30)
    )
    if is_published:
        close(draw)
        draws.drain_draws()
    erase(person)
    assert DrawEntry.objects.filter(member=person).count() == is_published
    close(draw)
    draws.drain_draws()
    draws.set_beacon(draw=draw, value="7", actor="operator:x")
    draws.drain_draws()
    assert [entry.reason for entry in DrawEntry.objects.all()] == ["ticket_revoked"] * is_published
    assert broken_promises() == []


@pytest.mark.stuck
def test_a_ticket_that_cannot_be_paid_back_keeps_nobody_waiting(db, monkeypatch):
    draw = make_draw()
    release = make_tickets(draw, price=20)
    members = buyers(3, credits=20)
    tickets = [claim(member, release) for member in members]
    draws.cancel_draw(draw=draw, actor="operator:x", now=database_now())
    revoke = ticket_endings.revoke_claim

    def fail_at_the_first(*, claim, **how):
        if claim == tickets[0]:
            raise ValueError("not this one")
        return revoke(claim=claim, **how)

    with monkeypatch.context() as patch:
        patch.setattr(ticket_endings, "revoke_claim", fail_at_the_first)
        draws.drain_draws()
    assert [available(member) for member in members] == [0, 20, 20]
    StuckRow.objects.update(retry_at=database_now())
    draws.drain_draws()
    assert [available(member) for member in members] == [20] * 3
    assert not StuckRow.objects.exists()
