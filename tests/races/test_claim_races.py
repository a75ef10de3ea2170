"""Claims at one instant, by real threads on a real database. Each race has a control.

A control is the same race with the guard taken away. It must fail: a test that cannot see the race
it is about proves nothing.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, BoundedSemaphore

import pytest
from django.db import connection, connections, transaction

from benefits.errors import LimitReached, SoldOut
from benefits.models import Claim, Release
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.databases import verify_books as books
from tests.factories import bind, make_member
from tests.threads import together
from zone.core.ids import uuid7

MEMBERS = 200
STOCK = 50
WIDE_STOCK = 320  # sixteen ranges
THREADS = 50
CONNECTIONS = 60


def make_members(number):
    members = [make_member() for _ in range(number)]
    for member in members:
        bind(member)
    return members


def crowd(jobs):
    """All jobs at one moment, sharing connections as a pool would: more people than places."""
    barrier, places = Barrier(len(jobs)), BoundedSemaphore(CONNECTIONS)

    def run(job):
        barrier.wait(60)
        with places:
            try:
                return job()
            except Exception as error:
                return error
            finally:
                connections.close_all()

    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        return list(pool.map(run, jobs))


def tally(answers):
    kinds = {}
    for answer in answers:
        kinds[type(answer).__name__] = kinds.get(type(answer).__name__, 0) + 1
    return kinds


@contextmanager
def replaced_function(database, name, old, new):
    """A SQL function with one piece of it exchanged, for a control."""
    with database.connect(as_owner=True) as owner:
        text = owner.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", [name]
        ).fetchone()[0]
        assert old in text, f"{name} no longer says {old!r}"
        owner.execute(text.replace(old, new))
        yield
        owner.execute(text)


def drop_constraint(database, name):
    with database.connect(as_owner=True) as owner:
        owner.execute(f"DROP INDEX {name}")


def test_two_hundred_members_for_fifty_units(cloned_database):
    release = make_release(make_benefit(price_credits=10), codes=STOCK)
    members = make_members(MEMBERS)
    for member in members:
        give_credits(member, 10)
    answers = crowd([lambda m=m: claim(m, release) for m in members])
    assert tally(answers) == {"Claim": STOCK, "SoldOut": MEMBERS - STOCK}
    assert sorted(a.slot for a in answers if isinstance(a, Claim)) == list(range(1, STOCK + 1))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE available = 0), sum(available)::int FROM ledger.account"
        )
        assert cursor.fetchone() == (STOCK, (MEMBERS - STOCK) * 10)
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_an_unguarded_counter_sells_a_slot_twice(cloned_database):
    """Read the counter, then write it: the race that the guarded update closes."""
    release = make_release(make_benefit(), codes=STOCK)
    members = make_members(THREADS)
    drop_constraint(cloned_database, "benefits_claim_slot_once")
    with replaced_function(
        cloned_database,
        "benefits_next_slot",
        "UPDATE benefits_slotcounter\n        SET next_slot = next_slot + 1",
        "SELECT next_slot + 1 INTO v_slot FROM benefits_slotcounter WHERE id = v_range;"
        " PERFORM pg_sleep(0.05);\n        UPDATE benefits_slotcounter\n        SET next_slot = v_slot",
    ):
        answers = together([lambda m=m: claim(m, release) for m in members])
    slots = [a.slot for a in answers if isinstance(a, Claim)]
    assert len(slots) > len(set(slots)), "the control must see a slot in two hands"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I18" in report


def widened(database):
    """The moment between looking at a member's claims and inserting one, long enough to meet in.

    The release has many ranges: with one, its row alone would make them wait for each other.
    """
    return replaced_function(
        database,
        "benefits_take_claim",
        "INSERT INTO benefits_claim (",
        "PERFORM pg_sleep(0.4); INSERT INTO benefits_claim (",
    )


def test_fifty_claims_of_one_member_with_a_limit_of_one(cloned_database):
    release = make_release(make_benefit(price_credits=10), stock=WIDE_STOCK)
    (alice,) = make_members(1)
    give_credits(alice, 500)
    with widened(cloned_database):
        answers = together([lambda: claim(alice, release) for _ in range(THREADS)])
    assert tally(answers) == {"Claim": 1, "LimitReached": THREADS - 1}
    assert Claim.objects.count() == 1
    left = sum(c.left for c in Release.objects.get(pk=release.pk).counters.all())
    assert left == WIDE_STOCK - 1
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_the_unique_limit_a_member_gets_more(cloned_database):
    release = make_release(make_benefit(), stock=WIDE_STOCK)
    (alice,) = make_members(1)
    drop_constraint(cloned_database, "benefits_claim_nth_once")
    with widened(cloned_database):
        answers = together([lambda: claim(alice, release) for _ in range(THREADS)])
    assert tally(answers)["Claim"] > 1, "the control must see a second claim"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I17" in report


def test_fifty_identical_requests_are_one_claim_and_one_answer(cloned_database):
    release = make_release(make_benefit(price_credits=10), codes=STOCK)
    (alice,) = make_members(1)
    give_credits(alice, 500)
    op_id = uuid7()
    answers = together([lambda: claim(alice, release, op_id=op_id) for _ in range(THREADS)])
    assert {a.public_id for a in answers if isinstance(a, Claim)} == {answers[0].public_id}
    assert tally(answers) == {"Claim": THREADS}
    assert Claim.objects.count() == 1
    code, report = books(cloned_database)
    assert code == 0, report


def test_a_limit_of_three_gives_exactly_three(cloned_database):
    release = make_release(make_benefit(per_member=3), codes=STOCK)
    (alice,) = make_members(1)
    answers = together([lambda: claim(alice, release) for _ in range(30)])
    assert tally(answers) == {"Claim": 3, "LimitReached": 27}
    assert sorted(a.nth for a in answers if isinstance(a, Claim)) == [1, 2, 3]


def test_credits_for_one_are_spent_once_over_many_releases(cloned_database):
    """Fifty releases, credits for one: the account decides, no slot is lost over it."""
    (alice,) = make_members(1)
    give_credits(alice, 10)
    benefit = make_benefit(price_credits=10)
    releases = [make_release(benefit, codes=1) for _ in range(20)]
    answers = together([lambda r=r: claim(alice, r) for r in releases])
    assert tally(answers) == {"Claim": 1, "NotEnoughCredits": 19}
    code, report = books(cloned_database)
    assert code == 0, report


def test_the_last_unit_is_not_called_sold_out_while_it_may_come_back(cloned_database):
    """A rival takes the last unit and is rolled back: the second one waits for that, and gets it."""
    release = make_release(make_benefit(), codes=1)
    alice, bob = make_members(2)

    def take_and_give_back():
        with transaction.atomic():
            claim(alice, release)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.5)")
            transaction.set_rollback(True)

    def take_a_little_later():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        return claim(bob, release)

    _, second = together([take_and_give_back, take_a_little_later])
    assert isinstance(second, Claim), repr(second)


@pytest.mark.parametrize("error", [SoldOut, LimitReached])
def test_refusals_are_final_for_nobody_else(cloned_database, error):
    """After the race is over, the same refusal is given for the same reason."""
    release = make_release(make_benefit(), codes=1)
    alice, bob = make_members(2)
    claim(alice, release)
    with pytest.raises(error):
        claim(bob if error is SoldOut else alice, release)
