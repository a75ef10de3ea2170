"""Tickets at the instant entries close, by real threads. Each race has a control that must fail."""

import time
from functools import partial

import pytest

from benefits.errors import EntriesClosed, TicketDrawn
from benefits.models import Claim, DrawEntry, FairDraw
from benefits.queries.draws import prove_draw
from benefits.services import draws, returns
from benefits.services.returns import return_claim
from benefits.verify_drop import check
from tests.benefits.factories import claim
from tests.benefits.test_draw_tickets import available, buyers, close, make_draw, make_tickets
from tests.databases import verify_books
from tests.threads import together
from zone.core.clock import database_now

BEFORE_SECONDS, SLOW_SECONDS = 0.15, 0.5
ENTER = "bigint, bigint, bigint, uuid, timestamptz"
SLOW_ENTRY = f"""
    ALTER FUNCTION benefits_enter_by_ticket({ENTER}) RENAME TO benefits_enter_at_once;
    CREATE FUNCTION benefits_enter_by_ticket(a bigint, b bigint, c bigint, d uuid, e timestamptz)
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep({SLOW_SECONDS});
        PERFORM benefits_enter_at_once(a, b, c, d, e);
    END $$;
"""
# The same question without a lock, and a list that anybody may write to.
UNGUARDED = """
    CREATE OR REPLACE FUNCTION benefits_enterable_draw(p_draw text)
    RETURNS TABLE (draw_id bigint, opens_at timestamptz) LANGUAGE sql ROWS 1 AS $$
        SELECT id, NULL::timestamptz FROM benefits_fairdraw
        WHERE public_id = p_draw AND state = 'open'
    $$;
    ALTER TABLE benefits_drawentry DISABLE TRIGGER guard_entries;
"""


def change(database, statements):
    with database.connect(as_owner=True) as plain:
        plain.execute(statements)


def close_entries(draw):
    """The window ends and the worker comes by, while somebody is in the middle of something."""
    time.sleep(BEFORE_SECONDS)
    FairDraw.objects.filter(pk=draw.pk).update(entries_close_at=database_now())
    while FairDraw.objects.get(pk=draw.pk).state == "open":
        draws.run_draw(draw.pk)  # Which passes by while somebody is at it.
        time.sleep(0.02)


def hold_at_the_close():
    """A draw that stays closed: it waits for a value that is not known."""
    draw = make_draw()
    FairDraw.objects.filter(pk=draw.pk).update(beacon_name="numbers")
    return draw


def test_a_ticket_that_was_paid_for_is_in_the_published_list(cloned_database):
    change(cloned_database, SLOW_ENTRY)
    draw = hold_at_the_close()
    release = make_tickets(draw, price=10)
    early, late = buyers(2, credits=10)

    def come_late():
        time.sleep(BEFORE_SECONDS + SLOW_SECONDS)
        return claim(late, release)

    made, _, refused = together(
        [partial(claim, early, release), partial(close_entries, draw), come_late]
    )
    draw.refresh_from_db()
    assert isinstance(made, Claim), made
    assert isinstance(refused, EntriesClosed), refused
    assert (draw.state, draw.entry_count) == ("closed", 1)
    assert (available(early), available(late)) == (0, 10)
    code, report = verify_books(cloned_database)
    assert code == 0, report


def test_control_without_the_lock_a_ticket_misses_the_list(cloned_database):
    change(cloned_database, SLOW_ENTRY + UNGUARDED)
    draw = hold_at_the_close()
    (early,) = buyers(1)
    together([partial(claim, early, make_tickets(draw)), partial(close_entries, draw)])
    draw.refresh_from_db()
    assert (draw.entry_count, draw.entries.count()) == (0, 1)
    code, report = verify_books(cloned_database)
    assert (code, "FAIL I65" in report) == (1, True), report


@pytest.mark.parametrize("undoer_is_first", [True, False])
def test_a_ticket_is_undone_or_listed_never_both(cloned_database, monkeypatch, undoer_is_first):
    draw = hold_at_the_close()
    (member,) = buyers(1, credits=10)
    made = claim(member, make_tickets(draw, price=10))
    slow_down(monkeypatch)

    def undo():
        if not undoer_is_first:
            time.sleep(BEFORE_SECONDS * 2)
        return return_claim(claim=made, now=database_now(), actor="member:x")

    undone, _ = together([undo, partial(close_entries, draw)])
    draw.refresh_from_db()
    assert isinstance(undone, Claim if undoer_is_first else TicketDrawn), undone
    expected = (0, 10) if undoer_is_first else (1, 0)
    assert (draw.entry_count, available(member)) == expected
    assert draw.entries.count() == draw.entry_count
    code, report = verify_books(cloned_database)
    assert code == 0, report


def test_control_without_the_lock_an_undo_breaks_the_list(cloned_database, monkeypatch):
    change(cloned_database, "ALTER TABLE benefits_drawentry DISABLE TRIGGER guard_entries")
    draw = hold_at_the_close()
    (member,) = buyers(1)
    made = claim(member, make_tickets(draw))
    slow_down(monkeypatch)
    stale = FairDraw.objects.get(pk=draw.pk)
    monkeypatch.setattr(returns, "lock_draw_of", lambda claim: stale)
    monkeypatch.setattr(
        returns, "find_close", lambda claim, *, now: stale.entries_close_at
    )  # What the page had seen.
    undo = partial(return_claim, claim=made, now=database_now(), actor="member:x")
    together([undo, partial(close_entries, draw)])
    draw.refresh_from_db()
    assert (draw.entry_count, draw.entries.count()) == (1, 0)
    code, report = verify_books(cloned_database)
    assert (code, "FAIL I65" in report) == (1, True), report


def slow_down(monkeypatch):
    """Whoever gives something back waits between finding the draw open and leaving it."""
    lock_claim = returns.lock_claim

    def lock_slowly(claim):
        time.sleep(SLOW_SECONDS)
        return lock_claim(claim)

    monkeypatch.setattr(returns, "lock_claim", lock_slowly)


def test_a_ticket_bought_while_its_draw_is_called_off_is_paid_back(cloned_database):
    change(cloned_database, SLOW_ENTRY)
    draw = make_draw()
    (member,) = buyers(1, credits=10)

    def call_off():
        time.sleep(BEFORE_SECONDS)
        draws.cancel_draw(draw=draw, actor="operator:x", now=database_now())

    made, _ = together([partial(claim, member, make_tickets(draw, price=10)), call_off])
    assert isinstance(made, Claim), made
    together([draws.drain_draws for _ in range(4)])
    made.refresh_from_db()
    assert (made.state, available(member)) == ("revoked", 10)
    code, report = verify_books(cloned_database)
    assert code == 0, report


def draw_at_once(*, members, each, stock):
    draw = make_draw(stock=stock)
    release = make_tickets(draw, tickets=members * each, each=each)
    for member in buyers(members):
        for _ in range(each):
            claim(member, release)
    close(draw)
    answers = together([draws.drain_draws for _ in range(4)])
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    draws.drain_draws()
    draw.refresh_from_db()
    return draw


def wins(draw):
    found = DrawEntry.objects.filter(draw=draw, state="won").values_list("member_id", flat=True)
    return sorted(list(found).count(member) for member in set(found))


def test_many_workers_draw_many_tickets_of_one_member_once(cloned_database):
    draw = draw_at_once(members=4, each=5, stock=3)
    assert (draw.state, wins(draw)) == ("done", [1, 1, 1])
    check(prove_draw(draw))
    assert set(Claim.objects.filter(mode="draw").values_list("state", flat=True)) == {"redeemed"}
    code, report = verify_books(cloned_database)
    assert code == 0, report


def test_control_without_the_terms_one_member_wins_again(cloned_database, monkeypatch):
    """Twenty tickets of one member, three prizes; the release alone would let them have all."""
    monkeypatch.setattr(draws, "_find_bar", lambda draw, entry: "")
    real = make_draw

    def generous(**fields):
        draw = real(**fields)
        type(draw.release).objects.filter(pk=draw.release_id).update(per_member=3)
        return draw

    monkeypatch.setitem(globals(), "make_draw", generous)
    draw = draw_at_once(members=1, each=9, stock=3)
    assert wins(draw) == [3]
