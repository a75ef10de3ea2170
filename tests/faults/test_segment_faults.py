"""Workers killed while they try a rule or build a segment: nobody skipped, nobody twice."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings

from benefits.models import PopulationRun, Segment, SegmentEvent
from benefits.services import live_segments, population
from benefits.services.segments import set_segment_rule
from tests.benefits.factories import make_benefit
from tests.benefits.population import settle
from zone.core.clock import database_now

pytestmark = pytest.mark.slow
CODE = (
    "import django; django.setup();"
    "from benefits.services import live_segments, population;"
    "population.BATCH_MEMBERS = live_segments.WALK_MEMBERS = 50;"
    "{module}.{drain}()"
)


def drain(database, module, name, **env):
    return subprocess.run(
        [sys.executable, "-c", CODE.format(module=module, drain=name)],
        env={**os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings", **env},
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=120,
        check=False,
    )


def killed(database, module, name, failpoint):
    died = drain(database, module, name, ZONE_FAILPOINT=failpoint)
    assert died.returncode == -signal.SIGKILL, died.stderr


def test_a_trial_goes_on_where_the_killed_worker_was(cloned_database, monkeypatch):
    settle(220, seed=31)
    monkeypatch.setattr(population, "BATCH_MEMBERS", 50)
    rule = {"is": "bound", "days": 30}
    run = population.start_run(
        tree=rule, benefit=make_benefit(), actor="operator:x", now=database_now()
    )
    assert population.advance_run(run) == 50
    for _ in range(2):
        killed(cloned_database, "population", "drain_population", "population_before_commit")
    run.refresh_from_db()
    assert (run.state, run.sums["examined"]) == ("running", 50)
    done = drain(cloned_database, "population", "drain_population")
    assert done.returncode == 0, done.stderr
    run.refresh_from_db()
    assert (run.state, run.sums["examined"]) == ("done", 220)
    unbroken = population.start_run(
        tree=rule, benefit=run.benefit, actor="operator:x", now=run.as_of
    )
    population.drain_population()
    assert PopulationRun.objects.get(pk=unbroken.pk).report == run.report


def test_a_segment_is_built_by_whoever_is_left(cloned_database, monkeypatch):
    settle(220, seed=32)
    monkeypatch.setattr(live_segments, "WALK_MEMBERS", 50)
    segment = Segment.objects.create(code="live", name="Live", kind="live")
    set_segment_rule(segment=segment, tree={"is": "bound", "days": 30}, now=database_now())
    assert live_segments.walk(segment) == 50
    before = SegmentEvent.objects.count()
    for _ in range(2):
        killed(cloned_database, "live_segments", "drain_segments", "segment_before_commit")
    assert SegmentEvent.objects.count() == segment.rows.count() == before
    done = drain(cloned_database, "live_segments", "drain_segments")
    assert done.returncode == 0, done.stderr
    events = SegmentEvent.objects.values_list("member_id", flat=True)
    rows = segment.rows.values_list("member_id", flat=True)
    assert sorted(events) == sorted(rows)
    assert len(rows) > before
    segment.refresh_from_db()
    assert segment.built_at is not None


def test_control_a_walk_outside_one_commit_forgets_members(cloned_database, monkeypatch):
    """Position first, rows after: a worker that dies between leaves members out."""
    members = settle(120, seed=33)
    segment = Segment.objects.create(code="live", name="Live", kind="live")
    set_segment_rule(segment=segment, tree={"is": "adult"}, now=database_now())
    Segment.objects.update(walked_to=members[49].pk)  # Fifty were to be looked at; then it died.
    live_segments.drain_segments()
    adults = sum(member.is_adult for member in members)
    assert segment.rows.count() < adults, "the control must see members left out"
