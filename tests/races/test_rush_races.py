"""A rush at the outermost door: many threads, two processes' worth of doors, one statement for many."""

from contextlib import contextmanager

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError

from benefits import rush_sql
from benefits.gate import gate
from benefits.models import Claim
from benefits.rush import RushDoor, gone, winners
from benefits.views import panels
from tests.benefits.factories import make_benefit, make_release
from tests.databases import verify_books as books
from tests.pages.test_rush_door import reader
from tests.pages.test_rush_wsgi import ask
from tests.races.test_claim_races import crowd, drop_constraint, replaced_function
from tests.threads import together
from zone.core import clock
from zone.members.services import sessions

pytestmark = pytest.mark.slow
STOCK = 120
MEMBERS = 160
DOORS = 2


class Server:
    """A process's door; several threads knock at it."""

    def __init__(self):
        self.door = RushDoor(WSGIHandler())


def cookie_of(member):
    return sessions.open_session(member=member, now=clock.now()).cookie


class Rush:
    """A hot release that is being claimed at every door, and who comes next."""

    def __init__(self, *, codes, members, cookies_each=1):
        self.release = make_release(make_benefit(), codes=codes + 2 * DOORS, is_hot=True)
        self.servers = [Server() for _ in range(DOORS)]
        for server in self.servers:
            for _ in range(2):  # One by the page, one in front of it.
                body = ask(server, reader(), self.release)[2]
                assert b"All yours" in body, body.decode()
        self.opening = Claim.objects.count()
        self.cookies = [
            cookie_of(member) for member in (reader() for _ in range(members))
            for _ in range(cookies_each)
        ]  # fmt: skip

    def knock(self, nth):
        server, cookie = self.servers[nth % DOORS], self.cookies[nth]
        return lambda: ask(server, None, self.release, cookie=cookie)[2]

    def all(self):
        return [self.knock(nth) for nth in range(len(self.cookies))]

    def made(self):
        return Claim.objects.count() - self.opening


@pytest.fixture
def sizes(cloned_database, monkeypatch):
    """How many were served by each statement. What was seen of a release stays good meanwhile."""
    # Every copy of the database numbers its releases alike.
    gate.sold_out_until.clear()
    if keys := gate._client().keys("zone:gate:*"):
        gate._client().delete(*keys)
    for module in (winners, gone, panels):
        monkeypatch.setattr(module, "PANEL_SECONDS", 60.0)
    sizes = []
    original = rush_sql.rush_together

    def counted(seen, presses):
        sizes.append(len(presses))
        return original(seen, presses)

    monkeypatch.setattr(rush_sql, "rush_together", counted)
    return sizes


def tally(answers):
    words = {
        b"All yours": "won",
        b"all gone": "gone",
        b"You have this one": "owned",
        b"Many are here": "busy",
    }
    said = [
        next((kind for word, kind in words.items() if word in answer), answer)
        if isinstance(answer, bytes)
        else answer
        for answer in answers
    ]
    return {kind: said.count(kind) for kind in said}


def test_more_members_than_codes_at_two_doors(cloned_database, sizes):
    rush = Rush(codes=STOCK, members=MEMBERS)
    answers = crowd(rush.all())
    said = tally(answers)
    assert said.pop("won") == STOCK
    assert said.keys() <= {"gone", "busy"}, "the gate lets in a few more than there are codes"
    assert sum(said.values()) == MEMBERS - STOCK
    assert rush.made() == STOCK
    slots = Claim.objects.order_by("slot").values_list("slot", flat=True)
    assert list(slots) == list(range(1, rush.release.stock + 1))
    assert max(sizes) > 1, "nobody was served together"
    code, report = books(cloned_database)
    assert code == 0, report


@contextmanager
def slow_commits(database):
    """Whoever is served holds on for a moment, so that others come meanwhile."""
    with replaced_function(
        database,
        "benefits_rush_claims",
        "    FOR nth, code,",
        "    PERFORM pg_sleep(0.05);\n    FOR nth, code,",
    ):
        yield


def test_one_member_with_many_phones_gets_one(cloned_database, sizes):
    rush = Rush(codes=STOCK, members=6, cookies_each=6)
    with slow_commits(cloned_database):
        answers = together(rush.all())
    assert rush.made() == 6
    assert tally(answers) == {"won": 6, "owned": 30}
    assert max(sizes) > 1
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_the_unique_limit_one_member_gets_several(cloned_database, sizes):
    rush = Rush(codes=STOCK, members=6, cookies_each=6)
    drop_constraint(cloned_database, "benefits_claim_nth_once")
    with slow_commits(cloned_database):
        together(rush.all())
    assert rush.made() > 6, "the control must see a second claim"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I17" in report


def test_control_a_slot_whose_claim_is_not_made_must_be_taken_back(cloned_database, sizes):
    """Two phones in one statement: without its refusal a slot is gone and nobody's."""
    rush = Rush(codes=STOCK, members=6, cookies_each=6)
    with (
        slow_commits(cloned_database),
        replaced_function(cloned_database, "benefits_rush_claims", "code = 'lost'", "false"),
    ):
        together(rush.all())
    assert max(sizes) > 1
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL" in report


def test_an_answer_lost_after_the_commit_is_found_by_each_of_them(
    cloned_database, sizes, monkeypatch
):
    rush = Rush(codes=STOCK, members=20)
    served = rush_sql.rush_together

    def lost(seen, presses):
        served(seen, presses)
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(rush_sql, "rush_together", lost)
    answers = together(rush.all())
    assert tally(answers) == {"won": 20}
    assert rush.made() == 20
    code, report = books(cloned_database)
    assert code == 0, report
