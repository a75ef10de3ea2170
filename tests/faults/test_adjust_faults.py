"""A worker that dies over a file of corrections neither skips a row nor doubles one."""

import os
import signal
import subprocess
import sys

from django.conf import settings

from credits.models import AdjustRow
from credits.services import adjust_batches
from tests.credits.conftest import broken, rows
from tests.credits.test_adjust_batches import balances, upload
from tests.factories import make_member, make_operator


def test_a_worker_killed_between_and_inside_commits_is_finished_by_the_next(
    cloned_database, monkeypatch
):
    members = [make_member() for _ in range(10)]
    batch = upload([(member.public_id, 5) for member in members], make_operator("finance"))
    adjust_batches.apply_batch(batch_id=batch.pk, operator=batch.maker)
    monkeypatch.setattr(adjust_batches, "ROWS_PER_COMMIT", 4)
    assert adjust_batches._apply_some(4)

    drain = (
        "import django; django.setup(); from credits.services import adjust_batches as a;"
        " a._apply_some(4)"
    )
    env = {**os.environ, **cloned_database.env, "DJANGO_SETTINGS_MODULE": "zone.settings"}
    for _ in range(2):
        died = subprocess.run(
            [sys.executable, "-c", drain],
            env={**env, "ZONE_FAILPOINT": "adjust_batch_before_commit"},
            cwd=settings.BASE_DIR,
            timeout=120,
            check=False,
        )
        assert died.returncode == -signal.SIGKILL
        batch.refresh_from_db()
        assert (batch.applied_count, batch.status) == (4, "running")
        assert AdjustRow.objects.filter(status="applied").count() == 4
        assert rows("SELECT count(*) FROM ledger.entry") == [(4,)]

    while adjust_batches.drain_adjustments():
        pass
    batch.refresh_from_db()
    assert (batch.applied_count, batch.status) == (10, "done")
    assert balances(members) == [5] * 10
    assert adjust_batches.drain_adjustments() == 0
    assert broken() == []
