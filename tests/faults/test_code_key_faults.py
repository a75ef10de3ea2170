"""A rotation of keys that is killed: codes are read meanwhile, and a second run finishes it."""

import signal

from benefits.models import CodeBatch
from benefits.services import code_keys, pools
from tests.benefits.factories import load_codes, make_benefit, make_release
from tests.databases import verify_books


def test_a_killed_rotation_loses_no_code_and_is_taken_up_again(cloned_database):
    release = make_release(make_benefit(), mode="codes")
    codes = load_codes(release, code_keys.RESEAL_ROWS + 50)
    killed = cloned_database.manage("rotate_code_keys", ZONE_FAILPOINT="reseal_before_commit")
    assert killed.returncode == -signal.SIGKILL
    batch = CodeBatch.objects.get()
    assert (batch.key_number, code_keys.count_waiting(batch)) == (2, len(codes))
    count, _ = code_keys.reseal_some(batch, after=0)
    assert count == code_keys.RESEAL_ROWS

    def read():
        rows = release.codes.select_related("batch").order_by("slot")
        return [pools.open_code(code).code for code in rows]

    assert read() == codes
    done = cloned_database.manage("rotate_code_keys", "--resume")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{batch.public_id}: 50 codes sealed anew, the old key is gone\n"
    batch.refresh_from_db()
    assert (batch.key_number, batch.old_key_sealed) == (2, None)
    assert read() == codes
    code, report = verify_books(cloned_database)
    assert code == 0, report
