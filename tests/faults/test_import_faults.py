"""An import that is killed: what it stored is not on sale, and a second run finishes it."""

import json
import os
import signal
import subprocess
import sys

from django.conf import settings

from benefits.models import Code, CodeBatch
from benefits.services import code_imports, staging
from benefits.services.imports import CHUNK_ROWS, LISTED_LINES_MAX
from tests.benefits.factories import make_benefit, make_release
from tests.benefits.test_code_imports import file_of, stage
from tests.databases import verify_books

URL = "https://apps.apple.com/redeem?ctx=offercodes&id=1&code="


def test_a_killed_import_sells_nothing_and_its_repeat_sells_all(cloned_database, tmp_path):
    release = make_release(make_benefit(), mode="codes")
    rows = CHUNK_ROWS + 500
    file = tmp_path / "codes.csv"
    file.write_text(
        "code,redemption_url\n" + "".join(f"CODE{n:08d},{URL}{n}\n" for n in range(rows))
    )
    command = ("import_codes", str(file), "--release", release.public_id)

    killed = cloned_database.manage(*command, ZONE_FAILPOINT="import_after_chunk")
    assert killed.returncode == -9
    release.refresh_from_db()
    assert (Code.objects.count(), release.stock, release.counters.count()) == (CHUNK_ROWS, 0, 0)

    done = cloned_database.manage(*command)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["rows"], report["accepted"]) == (rows, 500)
    assert report["faulty_lines"] == {"already_known": list(range(2, LISTED_LINES_MAX + 2))}
    assert report["faulty_counts"] == {"already_known": CHUNK_ROWS}
    release.refresh_from_db()
    assert (release.stock, release.last_slot) == (rows, rows)
    assert list(release.codes.order_by("slot").values_list("slot", flat=True)) == list(
        range(1, rows + 1)
    )
    assert CodeBatch.objects.get(release=release).finished_at is not None
    code, report = verify_books(cloned_database)
    assert code == 0, report


def test_a_worker_killed_while_taking_a_file_neither_skips_nor_doubles(
    cloned_database, monkeypatch
):
    monkeypatch.setattr(staging, "PART_BYTES", 4_000)
    release = make_release(make_benefit(), mode="codes")
    row = stage(release, file_of(300))
    assert code_imports._take_part()
    drain = "import django; django.setup(); from benefits.services import code_imports as c; "
    env = {**os.environ, **cloned_database.env, "DJANGO_SETTINGS_MODULE": "zone.settings"}
    for failpoint in ("import_after_chunk", "import_part_before_commit"):
        died = subprocess.run(
            [sys.executable, "-c", drain + "c.drain_imports()"],
            env={**env, "ZONE_FAILPOINT": failpoint},
            cwd=settings.BASE_DIR,
            timeout=120,
            check=False,
        )
        assert died.returncode == -signal.SIGKILL
        row.refresh_from_db()
        assert (row.parts_done, Code.objects.count()) == (1, row.accepted_count)
    while code_imports.drain_imports():
        pass
    row.refresh_from_db()
    release.refresh_from_db()
    assert (row.state, row.accepted_count, row.fault_counts) == ("done", 300, {})
    assert (release.stock, Code.objects.count()) == (300, 300)
    code, report = verify_books(cloned_database)
    assert code == 0, report
