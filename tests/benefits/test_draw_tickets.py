"""Draw tickets: a claim is an entry, goes with it until entries close, and is settled by its draw."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from benefits import errors, verify_drop
from benefits.models import Benefit, Claim, DrawEntry, FairDraw, Release
from benefits.queries.draws import prove_draw
from benefits.services import draws
from benefits.services.bulk import drain_bulk, start_grants
from benefits.services.endings import reissue_claim, restore_claim, revoke_claim
from benefits.services.redemptions import NO_ORDER, find_discount
from benefits.services.returns import find_return_offer, return_claim
from benefits.services.reveal import reveal_claim
from benefits.verify import INVARIANTS as BENEFIT_INVARIANTS
from credits.queries import get_balance
from tests.benefits.factories import claim, give_credits, make_benefit, make_release, soon
from tests.benefits.test_draws import close, enter, people, proof_of
from tests.factories import bind, make_member
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.notices.models import Notice

TICKET = {
    "kind": "draw_ticket",
    "valid_days": None,
    "is_giftable": False,
    "requires_adult": True,
}


def make_draw(*, stock=2, wins=1, entry_by="ticket", **benefit):
    """A draw that takes entries by ticket now, for half an hour."""
    release = make_release(
        make_benefit(**benefit), codes=stock, opens_at=soon(hours=1), per_member=wins
    )
    now = database_now()
    return draws.announce_draw(
        release=release,
        entries_open_at=now,
        entries_close_at=now + timedelta(minutes=30),
        entry_by=entry_by,
        actor="operator:test",
        now=now,
    )


def make_tickets(draw, *, tickets=20, price=0, each=3, **benefit):
    """A release of tickets of a draw; a member may have three."""
    ticket = make_benefit(
        **{
            **TICKET, "detail": {"draw": draw.public_id}, "price_credits": price,
            "claimable_until": draw.entries_close_at, **benefit,
        }
    )  # fmt: skip
    return make_release(ticket, mode="draw", stock=tickets, per_member=each)


def buyers(number=1, *, credits=0):
    members = people(number)
    for member in members if credits else ():
        give_credits(member, credits)
    return members


def available(member):
    return get_balance(member).available


def entries_of(member):
    return DrawEntry.objects.filter(member=member)


def broken_promises():
    """Which promises about draws, uses and payments do not hold."""
    found = []
    with connection.cursor() as cursor:
        for promise in BENEFIT_INVARIANTS:
            if promise.id in ("I19", "I41", "I47", "I48", "I64", "I65"):
                cursor.execute(promise.sql)
                found += [promise.id] if cursor.fetchall() else []
    return found


@pytest.fixture
def buyer(db):
    return buyers(credits=100)[0]


def test_a_ticket_is_an_entry_and_wins_like_one(db):
    draw = make_draw(stock=2)
    release = make_tickets(draw, price=10)
    published = proof_of(draw)
    assert published["terms"]["entry_by"] == "ticket"
    assert published["terms"]["wins_per_member"] == 1
    members = buyers(5, credits=50)
    tickets = [claim(member, release) for member in members for _ in range(2)]
    assert {(ticket.state, ticket.mode, ticket.valid_until) for ticket in tickets} == {
        ("granted", "draw", None)
    }
    assert all(available(member) == 30 for member in members)
    assert DrawEntry.objects.filter(draw=draw).count() == 10
    assert len({entry.op_id for entry in DrawEntry.objects.all()}) == 10
    assert broken_promises() == []
    close(draw)
    assert draws.drain_draws() == 2

    proof = proof_of(draw)
    order = verify_drop.check(proof, published)
    assert len(order) == 10
    won = DrawEntry.objects.filter(state="won")
    # Two winners, although one of them may have been drawn twice: that one is passed over by name.
    assert len({entry.member_id for entry in won}) == 2
    assert {row["reason"] for row in proof["passed"]} <= {"limit_reached"}
    assert {ticket.state for ticket in Claim.objects.filter(mode="draw")} == {"redeemed"}
    assert set(Claim.objects.get(pk=tickets[0].pk).events.values_list("cause", flat=True)) == {
        "claim", "draw",
    }  # fmt: skip
    told = Notice.objects.filter(kind__startswith="draw_").values_list("member_id", "kind")
    assert sorted(told) == sorted(
        (member.pk, "draw_won" if won.filter(member=member).exists() else "draw_lost")
        for member in members
    )
    assert {notice.facts["tickets"] for notice in Notice.objects.filter(kind="draw_lost")} == {2}
    assert broken_promises() == []
    draws.drain_draws()
    assert Notice.objects.filter(kind__startswith="draw_").count() == 5


def test_one_may_win_as_often_as_the_terms_say(db):
    draw = make_draw(stock=3, wins=2)
    release = make_tickets(draw)
    (member,) = buyers()
    for _ in range(3):
        claim(member, release)
    # More than was committed to is never won, whatever is written on the release later.
    Release.objects.filter(pk=draw.release_id).update(per_member=3)
    close(draw)
    assert draws.drain_draws() == 2
    proof = proof_of(draw)
    verify_drop.check(proof)
    assert [row["reason"] for row in proof["passed"]] == ["limit_reached"]


def test_a_winner_takes_no_more_than_was_won_while_others_are_served(db):
    """The release lets one member have two; that is no door past the draw."""
    draw = make_draw(stock=2, wins=2)
    (member,) = buyers()
    claim(member, make_tickets(draw))
    close(draw)
    draws.drain_draws()
    FairDraw.objects.filter(pk=draw.pk).update(state="drawing")
    with pytest.raises(errors.DrawnOnly):
        claim(member, draw.release)


def test_a_retry_is_the_same_ticket(buyer):
    release = make_tickets(make_draw(), price=10)
    op_id = uuid7()
    first, second = (claim(buyer, release, op_id=op_id) for _ in range(2))
    assert first.pk == second.pk
    assert (entries_of(buyer).count(), available(buyer)) == (1, 90)


def test_a_draw_by_ticket_takes_no_other_entry(buyer):
    draw = make_draw()
    with pytest.raises(errors.TicketNeeded):
        enter(draw, [buyer])
    assert not DrawEntry.objects.exists()


def test_a_draw_that_is_entered_by_asking_has_no_tickets(buyer):
    release = make_tickets(make_draw(entry_by="member"), price=10)
    with pytest.raises(errors.EntriesClosed):
        claim(buyer, release)
    assert (available(buyer), Claim.objects.count()) == (100, 0)


def test_nobody_pays_for_a_ticket_that_cannot_enter(buyer):
    draw = make_draw()
    release = make_tickets(draw, price=10, claimable_until=None)
    close(draw)
    with pytest.raises(errors.EntriesClosed):
        claim(buyer, release)
    later = make_draw()
    FairDraw.objects.filter(pk=later.pk).update(entries_open_at=soon(minutes=5))
    with pytest.raises(errors.NotStarted):
        claim(buyer, make_tickets(later, price=10))
    gone = make_draw()
    Benefit.objects.filter(pk=gone.release.benefit_id).update(status="ended")
    with pytest.raises(errors.EntriesClosed):
        claim(buyer, make_tickets(gone, price=10))
    assert (available(buyer), Claim.objects.count(), DrawEntry.objects.count()) == (100, 0, 0)


def test_nobody_pays_for_a_chance_of_what_they_cannot_have(buyer):
    release = make_tickets(make_draw(storefronts=["JPN"]), price=10)
    with pytest.raises(errors.WrongStorefront):
        claim(buyer, release)
    minor = make_member()
    bind(minor)
    minor.is_adult = False
    minor.save(update_fields=["is_adult"])
    with pytest.raises(errors.AdultsOnly):
        claim(minor, make_tickets(make_draw()))
    assert (available(buyer), DrawEntry.objects.count()) == (100, 0)


def test_a_ticket_that_is_undone_leaves_the_draw_and_is_sold_again(buyer):
    draw = make_draw()
    release = make_tickets(draw, price=10, tickets=1)
    made = claim(buyer, release)
    assert find_return_offer(made, now=database_now()).is_undo
    return_claim(claim=made, now=database_now(), actor="member:x")
    made.refresh_from_db()
    assert (made.state, available(buyer), entries_of(buyer).count()) == ("returned", 100, 0)
    assert claim(buyer, release).state == "granted"
    assert broken_promises() == []


def test_later_it_goes_back_at_its_share_and_never_after_the_close(buyer):
    draw = make_draw()
    release = make_tickets(draw, price=50, return_percent=80)
    first, second = claim(buyer, release), claim(buyer, release)
    Claim.objects.update(granted_at=database_now() - timedelta(hours=1))
    first.refresh_from_db()
    return_claim(claim=first, now=database_now(), actor="member:x")
    assert (available(buyer), entries_of(buyer).count()) == (40, 1)
    close(draw)
    second.refresh_from_db()
    assert find_return_offer(second, now=database_now()) is None
    for _ in range(2):  # Before the list is published, and afterwards.
        with pytest.raises(errors.TicketDrawn):
            return_claim(claim=second, now=database_now(), actor="member:x")
        draws.drain_draws()
    assert (available(buyer), entries_of(buyer).count()) == (40, 1)


def test_undoing_ends_with_the_draw_when_that_is_sooner(buyer):
    draw = make_draw()
    made = claim(buyer, make_tickets(draw))
    soon_closed = database_now() + timedelta(minutes=2)
    FairDraw.objects.filter(pk=draw.pk).update(entries_close_at=soon_closed)
    assert find_return_offer(made, now=database_now()).undo_until == soon_closed


def test_taken_away_before_the_close_it_is_out_and_given_back_it_is_in(buyer):
    draw = make_draw()
    made = claim(buyer, make_tickets(draw, price=10))
    revoke_claim(
        claim=made, reason="fraud", actor="operator:x", now=database_now(), gives_credits_back=True
    )
    assert (entries_of(buyer).count(), available(buyer)) == (0, 100)
    restore_claim(claim=made, actor="operator:x", now=database_now())
    assert (entries_of(buyer).get().ticket, available(buyer)) == (made, 90)
    assert broken_promises() == []
    revoke_claim(claim=made, reason="fraud", actor="operator:x", now=database_now())
    close(draw)
    with pytest.raises(errors.RestoreRefused):
        restore_claim(claim=made, actor="operator:x", now=database_now())
    made.refresh_from_db()
    assert made.state == "revoked"


def test_taken_away_after_the_close_it_stays_listed_and_cannot_win(db):
    draw = make_draw(stock=1)
    release = make_tickets(draw)
    cheat, other = buyers(2)
    made, kept = claim(cheat, release), claim(other, release)
    FairDraw.objects.filter(pk=draw.pk).update(beacon_name="numbers")
    draw.terms["beacon_name"] = "numbers"
    close(draw)
    draws.drain_draws()  # Closed; the outside value is not known.
    revoke_claim(claim=made, reason="fraud", actor="operator:x", now=database_now())
    assert entries_of(cheat).count() == 1
    restore_claim(claim=made, actor="operator:x", now=database_now())
    revoke_claim(claim=made, reason="fraud", actor="operator:x", now=database_now())
    draws.set_beacon(draw=draw, value="7", actor="operator:x")
    assert draws.drain_draws() == 1
    assert entries_of(other).get().state == "won"
    passed = entries_of(cheat).get()
    assert (passed.state, passed.reason) in {("passed", "ticket_revoked"), ("lost", "")}
    for ticket, state in ((made, "revoked"), (kept, "redeemed")):
        ticket.refresh_from_db()
        assert ticket.state == state
    with pytest.raises(errors.RestoreRefused):
        restore_claim(claim=made, actor="operator:x", now=database_now())
    assert broken_promises() == []


def test_a_draw_that_is_called_off_pays_its_tickets_back_once(db):
    draw = make_draw()
    release = make_tickets(draw, price=20)
    members = buyers(3, credits=100)
    tickets = [claim(member, release) for member in members for _ in range(2)]
    revoke_claim(claim=tickets[0], reason="fraud", actor="operator:x", now=database_now())
    draws.cancel_draw(draw=draw, actor="operator:x", now=database_now())
    with pytest.raises(errors.EntriesClosed):
        claim(members[0], release)
    for _ in range(2):
        draws.drain_draws()
        assert [available(member) for member in members] == [80, 100, 100]
    assert {ticket.state for ticket in Claim.objects.filter(mode="draw")} == {"revoked"}
    assert Notice.objects.filter(kind="claim_revoked", facts__reason="draw_off").count() == 5
    with pytest.raises(errors.RestoreRefused):
        restore_claim(claim=tickets[1], actor="operator:x", now=database_now())
    assert broken_promises() == []


def test_a_draw_whose_prize_has_ended_is_called_off(buyer):
    draw = make_draw()
    claim(buyer, make_tickets(draw, price=20))
    Benefit.objects.filter(pk=draw.release.benefit_id).update(status="ended")
    draws.drain_draws()
    draw.refresh_from_db()
    assert (draw.state, draw.secret, available(buyer)) == ("canceled", "", 100)


def test_a_prize_that_ends_while_winners_are_served_pays_the_others_back(db):
    draw = make_draw(stock=2)
    release = make_tickets(draw, price=20)
    members = buyers(4, credits=20)
    for member in members:
        claim(member, release)
    close(draw)
    row = FairDraw.objects.select_related("release__benefit").get(pk=draw.pk)
    draws._close(row)
    draws._reveal(row)
    Benefit.objects.filter(pk=draw.release.benefit_id).update(status="ended")
    draws.drain_draws()
    assert {entry.reason for entry in DrawEntry.objects.all()} == {"ended"}
    assert [available(member) for member in members] == [20] * 4
    verify_drop.check(proof_of(draw))
    assert broken_promises() == []


def test_a_ticket_has_nothing_to_show_to_use_or_to_replace(buyer):
    made = claim(buyer, make_tickets(make_draw()))
    shown = reveal_claim(claim=made, now=database_now(), actor="member:x")
    made.refresh_from_db()
    assert (shown.code, made.revealed_at) == ("", None)
    with pytest.raises(errors.ClaimNotUsable):
        find_discount(claim=made, order=NO_ORDER, now=database_now())
    with pytest.raises(errors.ClaimNotUsable):
        reissue_claim(claim=made, actor="operator:x", now=database_now())


def test_the_database_keeps_the_list_as_it_was_published(buyer):
    draw = make_draw()
    made = claim(buyer, make_tickets(draw))
    close(draw)
    FairDraw.objects.filter(pk=draw.pk).update(state="closed")
    with pytest.raises(DatabaseError), transaction.atomic():
        DrawEntry.objects.filter(ticket=made).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        DrawEntry.objects.create(draw=draw, member=buyer, entered_at=database_now())
    FairDraw.objects.filter(pk=draw.pk).update(state="open")
    with pytest.raises(IntegrityError), transaction.atomic():
        DrawEntry.objects.create(draw=draw, member=buyer, ticket=made, entered_at=database_now())


def test_many_are_given_a_ticket(db, alice):
    draw = make_draw()
    release = make_tickets(draw)
    members = buyers(3)
    job = start_grants(
        release=release,
        segment=None,
        members=type(alice).objects.all(),
        lines=[member.public_id for member in members],
        source="list.csv",
        actor="operator:x",
        now=database_now(),
    )
    while drain_bulk():
        pass
    job.refresh_from_db()
    assert draw.entries.count() == 3
    assert len(prove_draw(draw)["terms"]) > 0
    assert broken_promises() == []
