"""A worker killed in the middle of a draw: the same winners, each once, whatever was interrupted."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import transaction

from benefits import verify_drop
from benefits.models import Claim, DrawEntry, FairDraw
from benefits.services import draws
from tests.benefits.test_draws import announce, close, enter, people, proof_of
from tests.databases import verify_books

pytestmark = pytest.mark.slow
MEMBERS, UNITS = 90, 50
DRAIN = (
    "import django; django.setup(); from benefits.services.draws import drain_draws; drain_draws()"
)


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


def step(draw):
    """One commit of the drain: close, draw, or let some claim."""
    with transaction.atomic():
        row = FairDraw.objects.select_for_update().get(pk=draw.pk)
        act = {"open": draws._close, "closed": draws._reveal, "drawing": draws._claim_some}
        act[row.state](row)


def test_a_killed_draw_goes_on_where_it_was(cloned_database):
    draw = announce(stock=UNITS)
    published = proof_of(draw)
    enter(draw, people(MEMBERS))
    close(draw)
    died = drain(cloned_database, ZONE_FAILPOINT="draw_before_commit")
    assert died.returncode == -signal.SIGKILL, died.stderr
    draw.refresh_from_db()
    assert (draw.state, draw.secret) == ("open", "")  # Nothing of it was published.
    for _ in range(3):
        step(draw)
    assert Claim.objects.count() == draws.CHUNK_ENTRIES
    died = drain(cloned_database, ZONE_FAILPOINT="draw_after_claim")
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert Claim.objects.count() == draws.CHUNK_ENTRIES
    done = drain(cloned_database)
    assert done.returncode == 0, done.stderr
    proof = proof_of(draw)
    order = verify_drop.check(proof, published)
    assert proof["winners"] == order[:UNITS]
    assert Claim.objects.count() == UNITS
    assert Claim.objects.values("member").distinct().count() == UNITS
    assert DrawEntry.objects.filter(state="won", claim=None).count() == 0
    assert DrawEntry.objects.filter(state="lost").count() == MEMBERS - UNITS
    assert DrawEntry.objects.filter(told_at=None).count() == 0
    code, report = verify_books(cloned_database)
    assert code == 0, report
