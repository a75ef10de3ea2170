"""The command that operators run: one line per promise, and a name for what breaks one."""

from credits import ledger
from credits.verify import INVARIANTS
from tests.factories import make_member
from zone.core.ids import uuid7


def test_sound_books_pass_and_a_damaged_row_is_named(cloned_database):
    member = make_member().pk
    ledger.earn(member_id=member, op_id=uuid7(), amount=10)

    sound = cloned_database.manage("verify_books")

    assert sound.returncode == 0, sound.stderr
    for invariant in INVARIANTS:
        assert f" {invariant.id} " in sound.stdout

    with cloned_database.connect(as_owner=True) as owner:
        owner.execute(
            "UPDATE ledger.account SET available = 11, bucket_left = '{11}' WHERE member_id = %s",
            [member],
        )
    damaged = cloned_database.manage("verify_books")

    assert damaged.returncode == 1
    failed = [line.split()[1] for line in damaged.stdout.splitlines() if line.startswith("FAIL")]
    assert failed == ["I2", "I4"]
    assert f"       {member}\n" in damaged.stdout


def test_an_unknown_invariant_is_refused(cloned_database):
    answer = cloned_database.manage("verify_books", "--only", "I999")
    assert answer.returncode == 1
    assert "no such invariant: I999" in answer.stderr
