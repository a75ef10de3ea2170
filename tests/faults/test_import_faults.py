"""An import that is killed: what it stored is not on sale, and a second run finishes it."""

import json

from benefits.models import Code, CodeBatch
from benefits.services.imports import CHUNK_ROWS
from tests.benefits.factories import make_benefit, make_release

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
    assert report["faulty_lines"] == {"already_known": list(range(2, CHUNK_ROWS + 2))}
    release.refresh_from_db()
    assert (release.stock, release.last_slot) == (rows, rows)
    assert list(release.codes.order_by("slot").values_list("slot", flat=True)) == list(
        range(1, rows + 1)
    )
    assert CodeBatch.objects.get(release=release).finished_at is not None
    books = cloned_database.manage("verify_books")
    assert books.returncode == 0, books.stdout
