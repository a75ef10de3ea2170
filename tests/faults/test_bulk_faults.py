"""A worker killed in the middle of a bulk job: no member is skipped, none is granted twice."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext

import pytest
from django.conf import settings
from django.db.models import Count, QuerySet

from benefits.models import BulkJob, BulkRow, Claim
from benefits.services import bulk
from tests.benefits.factories import make_benefit, make_release
from tests.benefits.test_bulk import members, segment_of
from tests.databases import verify_books
from zone.core.clock import database_now
from zone.core.ids import uuid7

pytestmark = pytest.mark.slow
MEMBERS = 120
DRAIN = "import django; django.setup(); from benefits.services.bulk import drain_bulk; drain_bulk()"


def drain(database, **env):
    return subprocess.run(
        [sys.executable, "-c", DRAIN],
        env={
            **os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings", **env,
        },
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("failpoint", ["bulk_after_row", "bulk_before_commit"])
def test_a_killed_worker_neither_skips_nor_doubles(cloned_database, failpoint):
    release = make_release(make_benefit(), codes=MEMBERS)
    people = members(MEMBERS)
    job = bulk.start_grants(
        release=release, segment=segment_of(people), actor="operator:x", now=database_now()
    )
    assert bulk._drain_chunk(job) == bulk.CHUNK_ROWS
    for _ in range(2):
        died = drain(cloned_database, ZONE_FAILPOINT=failpoint)
        assert died.returncode == -signal.SIGKILL, died.stderr
    assert Claim.objects.count() == bulk.CHUNK_ROWS
    assert BulkRow.objects.filter(state="done").count() == bulk.CHUNK_ROWS
    done = drain(cloned_database)
    assert done.returncode == 0, done.stderr
    assert BulkJob.objects.get().state == "done"
    assert BulkRow.objects.filter(state="done").count() == MEMBERS
    assert Claim.objects.count() == MEMBERS
    assert Claim.objects.values("member").distinct().count() == MEMBERS
    code, report = verify_books(cloned_database)
    assert code == 0, report


def killed_after_a_chunk(database):
    """A job with a chunk done and a worker that died in the next one."""
    release = make_release(make_benefit(), codes=MEMBERS)
    job = bulk.start_grants(
        release=release,
        segment=segment_of(members(MEMBERS)),
        actor="operator:x",
        now=database_now(),
    )
    assert bulk._drain_chunk(job) == bulk.CHUNK_ROWS
    died = drain(database, ZONE_FAILPOINT="bulk_after_row")
    assert died.returncode == -signal.SIGKILL, died.stderr
    return job


def states(job):
    counts = job.rows.order_by().values_list("state").annotate(Count("pk"))
    return dict(counts)


def test_what_a_killed_worker_left_is_paused_resumed_and_canceled(cloned_database):
    job = killed_after_a_chunk(cloned_database)
    assert bulk.pause_job(job=job)
    assert drain(cloned_database).returncode == 0
    assert states(job) == {"done": bulk.CHUNK_ROWS, "waiting": MEMBERS - bulk.CHUNK_ROWS}
    assert bulk.resume_job(job=job)
    assert bulk._drain_chunk(job) == bulk.CHUNK_ROWS
    assert bulk.cancel_job(job=job, now=database_now())
    assert drain(cloned_database).returncode == 0
    assert states(job) == {"done": 2 * bulk.CHUNK_ROWS, "canceled": MEMBERS - 2 * bulk.CHUNK_ROWS}
    assert Claim.objects.count() == 2 * bulk.CHUNK_ROWS
    code, report = verify_books(cloned_database)
    assert code == 0, report


class PowerCut(Exception):
    """The worker is gone between two rows."""


def test_control_without_the_commit_and_the_kept_id_members_are_granted_twice(
    cloned_database, monkeypatch
):
    """Row and effect in one commit, and an operation id made with the row: without both, doubles."""
    release = make_release(make_benefit(per_member=2), codes=20)
    job = bulk.start_grants(
        release=release, segment=segment_of(members(5)), actor="operator:x", now=database_now()
    )
    claim_benefit = bulk.claim_benefit

    def with_a_new_id(**options):
        return claim_benefit(**{**options, "op_id": uuid7()})

    def cut(name):
        if Claim.objects.count() == 3:
            raise PowerCut

    monkeypatch.setattr(bulk, "claim_benefit", with_a_new_id)
    with monkeypatch.context() as broken:
        broken.setattr(bulk.transaction, "atomic", nullcontext)
        broken.setattr(QuerySet, "select_for_update", lambda rows, **options: rows)
        broken.setattr(bulk, "failpoint", cut)
        with pytest.raises(PowerCut):
            bulk._drain_chunk(job)
    bulk.drain_bulk()
    assert Claim.objects.count() > 5, "the control must see a member granted twice"
