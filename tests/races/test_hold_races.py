"""Holds met by claims, other holds and the sweep at one instant; with a control."""

from datetime import timedelta

from django.db import connection

from benefits import claim_sql
from benefits.models import Claim, ReturnedSlot, StockHold, WaitlistEntry
from benefits.services.holds import extend_hold, hold_unit, release_hold
from benefits.services.waitlist import join_waitlist, tend_lines
from tests.benefits.factories import claim, make_benefit, make_release
from tests.races.test_claim_races import books, crowd, make_members, replaced_function, tally
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7

UNITS = 10


def hold(member, release, *, lasts=600, reference=""):
    release = type(release).objects.select_related("benefit").get(pk=release.pk)
    return hold_unit(
        member=member, release=release, op_id=uuid7(), lasts=timedelta(seconds=lasts),
        partner_id=1, livemode=True, external_id=reference or uuid7().hex, now=database_now(),
    )  # fmt: skip


def test_holds_and_claims_together_never_pass_the_stock(cloned_database):
    release = make_release(make_benefit(), codes=UNITS)
    members = make_members(40)
    jobs = [lambda m=m: hold(m, release) for m in members[:20]]
    jobs += [lambda m=m: claim(m, release) for m in members[20:]]
    told = tally(crowd(jobs))
    assert told.pop("SoldOut") == 30
    assert sum(told.values()) == UNITS
    assert ReturnedSlot.objects.count() + Claim.objects.count() == UNITS
    code, report = books(cloned_database)
    assert code == 0, report


def test_one_member_holds_one(cloned_database):
    release = make_release(make_benefit(), codes=UNITS)
    (alice,) = make_members(1)
    answers = together([lambda: hold(alice, release) for _ in range(12)])
    assert tally(answers) == {"StockHold": 1, "AlreadyHeld": 11}
    assert ReturnedSlot.objects.count() == 1
    code, report = books(cloned_database)
    assert code == 0, report


def end_race(release):
    """A hold whose time ends in this second: claimed, extended, let go and swept at once."""
    (alice,) = make_members(1)
    held = hold(alice, release, lasts=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.98)")
    return [
        lambda: claim(alice, release),
        lambda: extend_hold(hold=held, lasts=timedelta(minutes=9), now=database_now()),
        lambda: release_hold(hold=held, now=database_now()),
        tend_lines,
        tend_lines,
    ]


def test_at_its_last_instant_one_thing_happens_to_it(cloned_database):
    release = make_release(make_benefit(), codes=1)
    for _ in range(6):
        together(end_race(release))
        code, report = books(cloned_database)
        assert code == 0, report
        put_back(release)
    assert StockHold.objects.count() == 6


def test_a_lapsed_hold_is_had_once_by_many_and_the_sweep(cloned_database):
    """Nine claims, two joins, a new hold and two sweeps meet at one unit whose time is over."""
    release = make_release(make_benefit(), codes=1)
    alice, *others = make_members(13)
    hold(alice, release, lasts=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.01)")
    jobs = [lambda m=m: claim(m, release) for m in others[:9]]
    jobs += [lambda m=m: join_waitlist(member=m, release=release, now=database_now())
             for m in others[9:11]]  # fmt: skip
    jobs += [lambda: hold(alice, release), tend_lines, tend_lines]
    told = tally(crowd(jobs))
    assert not set(told) - {
        "Claim", "SoldOut", "NoneType", "StillInStock", "StockHold", "int", "AlreadyHeld",
    }, told  # fmt: skip
    assert Claim.objects.count() + ReturnedSlot.objects.count() == 1
    code, report = books(cloned_database)
    assert code == 0, report


def put_back(release):
    """Back to one free unit, whatever came of the race."""
    for entry in WaitlistEntry.objects.filter(state="offered"):
        claim_sql.end_place(entry_id=entry.pk, state="lapsed", now=database_now())
    for made in Claim.objects.filter(holds_slot=True):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE benefits_claim SET state = 'returned' WHERE id = %s", [made.pk])
        made.events.create(actor="test", cause="return", from_state=made.state, to_state="returned")
        claim_sql.let_go(claim_id=made.pk, now=database_now())


def test_control_a_hold_that_forgets_its_slot_is_found(cloned_database):
    release = make_release(make_benefit(), codes=UNITS)
    (alice,) = make_members(1)
    with replaced_function(
        cloned_database,
        "benefits_hold_slot",
        "INSERT INTO benefits_returnedslot (",
        "v_code := 'ok'; RETURN; INSERT INTO benefits_returnedslot (",
    ):
        hold(alice, release)
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I20" in report
    assert "FAIL I34" in report
