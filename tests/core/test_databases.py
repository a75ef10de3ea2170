"""The stage itself: what a test may rely on."""

import json

import pytest
from django.db import connection
from django.db.utils import ProgrammingError

from tests import databases
from tests.factories import make_member
from tests.threads import together
from zone.members.models import Member


def test_tests_work_as_the_app_role(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("zone_app",)


def test_the_app_role_cannot_change_the_schema(db):
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE intruder ()")


def test_threads_of_a_copy_see_what_others_committed(cloned_database):
    members = together([make_member] * 20)

    assert len({member.pk for member in members}) == 20
    assert Member.objects.count() == 20
    with cloned_database.connect() as other:
        assert other.execute("SELECT count(*) FROM members_member").fetchone() == (20,)


def test_each_copy_starts_empty(cloned_database):
    assert Member.objects.count() == 0


def test_a_child_process_works_on_the_same_copy(cloned_database):
    make_member()

    done = cloned_database.manage(
        "shell",
        "-v0",
        "-c",
        "from zone.members.models import Member; print(Member.objects.count())",
    )

    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "1", "")


def test_a_rolled_back_test_and_a_copy_do_not_meet(alice):
    assert Member.objects.get() == alice


@pytest.mark.parametrize(
    ("what_happened", "now", "found"),
    [
        ("a migration was added", {"0001.py": "a", "0002.py": "b"}, "one"),
        ("a migration was changed", {"0001.py": "x", "0002.py": "b"}, None),
        ("a migration was taken away", {"0002.py": "b"}, None),
    ],
)
def test_an_earlier_template_serves_only_where_files_were_added(what_happened, now, found):
    made = {"one": json.dumps({"0001.py": "a"}), "half_made": "", "one_copy_1_1": ""}
    assert databases._find_earlier(made, now) == found, what_happened
