"""Rescues met by each other at one instant: once a month, and to one who waits; with a control."""

from benefits.models import Claim, Rescue, ReturnedSlot
from benefits.services.rescues import pass_on_claim, snooze_claim
from benefits.services.waitlist import join_waitlist
from credits.queries import get_balance
from tests.benefits.factories import claim, make_benefit, make_release
from tests.races.test_claim_races import (
    books,
    make_members,
    replaced_function,
    tally,
)
from tests.threads import together
from zone.core.clock import database_now

CLAIMS = 6


def widened(database):
    """The moment between looking whether this month's was used and using it."""
    return replaced_function(
        database,
        "benefits_valid_until",
        "RETURN least(",
        "RETURN least((SELECT NULL::timestamptz FROM pg_sleep(1)), ",
    )


def race_of_one_member():
    """Several claims of one member, each about to end, snoozed at one instant."""
    (alice,) = make_members(1)
    made = [claim(alice, make_release(make_benefit(valid_days=1), codes=1)) for _ in range(CLAIMS)]
    return [lambda c=c: snooze_claim(claim=c, now=database_now(), actor="x") for c in made]


def test_one_snooze_a_month_whatever_the_parallelism(cloned_database):
    jobs = race_of_one_member()
    with widened(cloned_database):
        answers = together(jobs)
    assert tally(answers) == {"Claim": 1, "RescueRefused": CLAIMS - 1}
    assert Rescue.objects.count() == 1
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_the_constraint_there_are_more(cloned_database):
    jobs = race_of_one_member()
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("ALTER TABLE benefits_rescue DROP CONSTRAINT benefits_rescue_once_a_month")
    with widened(cloned_database):
        answers = together(jobs)
    assert tally(answers)["Claim"] > 1, "the control must see a second snooze"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I46" in report


def test_one_who_waits_is_passed_one(cloned_database):
    """Four members pass on at once and one waits: one is thanked, the others keep theirs."""
    release = make_release(make_benefit(valid_days=1), codes=4)
    *givers, waiting = make_members(5)
    made = [claim(giver, release) for giver in givers]
    join_waitlist(member=waiting, release=release, now=database_now())
    answers = together(
        [lambda c=c: pass_on_claim(claim=c, now=database_now(), actor="x") for c in made]
    )
    assert tally(answers) == {"Claim": 1, "RescueRefused": 3}
    assert ReturnedSlot.objects.get().offered_to == waiting
    assert Claim.objects.filter(state="granted").count() == 3
    assert sorted(get_balance(giver).available for giver in givers) == [0, 0, 0, 5]
    code, report = books(cloned_database)
    assert code == 0, report


def test_the_same_claim_pressed_twice_is_thanked_once(cloned_database):
    release = make_release(make_benefit(valid_days=1), codes=1)
    alice, *waiting = make_members(3)
    made = claim(alice, release)
    for member in waiting:
        join_waitlist(member=member, release=release, now=database_now())
    answers = together(
        [lambda: pass_on_claim(claim=made, now=database_now(), actor="x") for _ in range(6)]
    )
    assert tally(answers) == {"Claim": 1, "RescueRefused": 5}
    assert get_balance(alice).available == 5
    code, report = books(cloned_database)
    assert code == 0, report
