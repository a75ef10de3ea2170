"""A worker killed in the middle of a bulk job: no member is skipped, none is granted twice."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings

from benefits.models import BulkJob, BulkRow, Claim
from benefits.services import bulk
from tests.benefits.factories import make_benefit, make_release
from tests.benefits.test_bulk import members, segment_of
from zone.core.clock import database_now

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
    books = cloned_database.manage("verify_books")
    assert books.returncode == 0, books.stdout + books.stderr
