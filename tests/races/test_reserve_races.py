"""Kept codes under many hands: each goes to one, and a batch is opened once."""

import time

from benefits.models import Claim, CodeBatch, CodeReport, Release
from benefits.queries.pools import read_identity
from benefits.services import code_reserve
from benefits.services.code_reports import report_code
from benefits.services.pool_watch import watch_pools
from benefits.services.reveal import reveal_claim
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.test_code_reserve import keep
from tests.races.test_claim_races import books, make_members, tally
from tests.threads import together
from zone.core.clock import database_now

PEOPLE = 10


def with_bad_codes():
    """A sold-out release, everybody looking at a code, and a kept one for each."""
    release = make_release(make_benefit(), codes=PEOPLE)
    members = make_members(PEOPLE)
    made = [claim(member, release) for member in members]
    for each in made:
        reveal_claim(claim=each, now=database_now(), actor="member:x")
    keep(release, PEOPLE, "replacement", prefix="SPARE")
    return release, [Claim.objects.get(pk=each.pk) for each in made]


def report_all(made):
    now = database_now()
    return together(
        [
            lambda each=each: report_code(claim=each, reason="used", actor="member:x", now=now)
            for each in made
        ]
    )


def test_ten_replacements_at_once_are_ten_codes(cloned_database):
    release, made = with_bad_codes()
    answers = report_all(made)
    assert tally(answers) == {"CodeReport": PEOPLE}
    fresh = Claim.objects.filter(replaces__in=made)
    assert len(set(fresh.values_list("slot", flat=True))) == PEOPLE
    assert read_identity(release)["kept"] == 0
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_the_lock_two_reach_for_one_code(cloned_database, monkeypatch):
    _release, made = with_bad_codes()
    find = code_reserve._find_kept

    def slowly(*args, **options):
        found = find(*args, **options)
        time.sleep(0.2)
        return found

    monkeypatch.setattr(code_reserve, "_find_kept", slowly)
    monkeypatch.setattr(
        Release.objects, "select_for_update", lambda **options: Release.objects.all()
    )
    answers = report_all(made)
    assert tally(answers).get("IntegrityError", 0) > 0, "the control must see two at one code"
    code, report = books(cloned_database)
    assert code == 0, report  # The constraint is behind the lock.


def test_a_double_click_is_one_report_and_one_replacement(cloned_database):
    release, made = with_bad_codes()
    answers = report_all([made[0]] * 8)
    assert {each.pk for each in answers} == {CodeReport.objects.get().pk}
    assert Claim.objects.filter(replaces=made[0]).count() == 1
    assert read_identity(release)["kept"] == PEOPLE - 1


def test_two_watchers_open_a_kept_batch_once(cloned_database):
    release = make_release(make_benefit(), codes=10)
    keep(release, 40, "refill", prefix="FIRST", days=60)
    keep(release, 40, "refill", prefix="SECOND", days=90)
    for member in make_members(9):
        claim(member, release)
    answers = together([watch_pools for _ in range(6)])
    assert [each for each in answers if isinstance(each, Exception)] == []
    assert list(CodeBatch.objects.order_by("id").values_list("kept_for", flat=True)) == [
        "", "", "refill",
    ]  # fmt: skip
    release.refresh_from_db()
    assert (release.stock, read_identity(release)["free"]) == (50, 41)
    code, report = books(cloned_database)
    assert code == 0, report
