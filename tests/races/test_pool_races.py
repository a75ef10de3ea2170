"""Every code of a pool is in one place at every instant, also while many hands move them."""

import threading

from django.db import connection, connections

from benefits.models import Claim
from benefits.services.endings import reissue_claim, revoke_claim
from benefits.services.returns import return_claim
from benefits.services.reveal import reveal_claim
from benefits.verify_life import LIFE_INVARIANTS
from tests.benefits.factories import claim, load_codes, make_benefit, make_release
from tests.races.test_claim_races import books, make_members, replaced_function
from tests.threads import together
from zone.core.clock import database_now

PEOPLE = 12
TURNS = 6
IDENTITY = next(promise for promise in LIFE_INVARIANTS if promise.id == "I40")


def watch(stop, seen):
    """Ask again and again whether every code is in one place, until told to stop."""
    try:
        while not stop.is_set():
            with connection.cursor() as cursor:
                cursor.execute(IDENTITY.sql)
                seen.append(cursor.fetchall())
    finally:
        connections.close_all()


def live(member, release):
    """Claim, see, give back, lose and replace: every road a code can take."""

    def run():
        now = database_now()
        for turn in range(TURNS):
            made = claim(member, release)
            if turn % 3 == 0:
                reveal_claim(claim=made, now=now, actor="member:x")
            elif turn % 3 == 1:
                return_claim(claim=made, now=now, actor="member:x")
            else:
                revoke_claim(claim=made, reason="other", actor="operator:x", now=now)
                reissue_claim(claim=made, actor="operator:x", now=now)

    return run


def run_watched(release, members):
    stop, seen = threading.Event(), []
    watcher = threading.Thread(target=watch, args=(stop, seen))
    watcher.start()
    try:
        jobs = [live(member, release) for member in members]
        answers = together([*jobs, lambda: load_codes(release, 40)])
    finally:
        stop.set()
        watcher.join()
    assert len(seen) > 5, "the watcher must have looked while they moved"
    return answers, [rows for rows in seen if rows]


def test_every_code_is_in_one_place_at_every_instant(cloned_database):
    release = make_release(make_benefit(per_member=TURNS), codes=200)
    answers, broken = run_watched(release, make_members(PEOPLE))
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert broken == []
    assert Claim.objects.filter(state="returned").count() == PEOPLE * 2
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_a_return_that_forgets_its_slot_is_seen(cloned_database):
    release = make_release(make_benefit(per_member=TURNS), codes=200)
    members = make_members(PEOPLE)
    with replaced_function(
        cloned_database,
        "benefits_let_go",
        "IF v_release IS NULL THEN",
        "IF v_release IS NULL OR true THEN",
    ):
        _, broken = run_watched(release, members)
    assert (release.public_id,) in broken[-1]
