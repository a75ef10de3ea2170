"""Private servers live exactly as long as somebody uses them, however that somebody ends."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

import psycopg
import pytest
import redis
from django.conf import settings

from tests.embedded.programs import Program, keeper_pid, server_pids, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    data = tmp_path / "data"
    # PostgreSQL runs as another user under root, and must be able to pass through.
    for parent in (tmp_path, *tmp_path.parents[:3]):
        if os.getuid() == 0 and parent != parent.parent:
            parent.chmod(parent.stat().st_mode | 0o011)
    yield data
    for pid in server_pids(data):
        with suppress(ProcessLookupError):  # It may be stopping by itself at this instant.
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def program(folder):
    programs = []

    def start():
        programs.append(Program(folder))
        return programs[-1]

    yield start
    for one in programs:
        one.close()


def write_and_read(urls) -> list[int]:
    """Add a row and a Redis entry; tells how many there are of each now."""
    owner = urls[0].replace("zone_app@", "zone_owner@")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS mark ()")
        connection.execute("INSERT INTO mark DEFAULT VALUES")
        rows = connection.execute("SELECT count(*) FROM mark").fetchone()[0]
    with redis.Redis.from_url(urls[1]) as client:
        return [rows, client.incr("mark")]


def test_two_programs_at_once_share_one_pair_of_servers(program, folder):
    first, second = program(), program()

    assert first.urls == second.urls
    assert write_and_read(first.urls) == [1, 1]
    assert write_and_read(second.urls) == [2, 2]

    first.leave()
    assert write_and_read(second.urls) == [3, 3]

    second.leave()
    wait_until(lambda: server_pids(folder) == [])


def test_servers_stop_when_their_only_program_is_killed(program, folder):
    one = program()
    assert write_and_read(one.urls) == [1, 1]

    one.kill()

    wait_until(lambda: server_pids(folder) == [])


def test_everything_killed_at_once_starts_again_with_its_data(program, folder):
    one = program()
    assert write_and_read(one.urls)[0] == 1
    for pid in [one.process.pid, *server_pids(folder)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    assert (folder / "postgresql-18" / "postmaster.pid").exists()

    again = program()

    assert write_and_read(again.urls)[0] == 2


def test_a_dead_server_is_started_again_while_it_is_used(program, folder):
    one = program()
    write_and_read(one.urls)
    postmaster = int((folder / "postgresql-18" / "postmaster.pid").read_text().split()[0])

    os.kill(postmaster, signal.SIGKILL)

    def is_back() -> bool:
        try:
            return write_and_read(one.urls)[0] == 2
        except psycopg.OperationalError:
            return False

    wait_until(is_back)


def test_a_killed_keeper_takes_its_server_along_and_gets_a_successor(program, folder):
    one = program()
    write_and_read(one.urls)

    os.kill(keeper_pid(folder, "postgresql"), signal.SIGKILL)
    two = program()

    assert write_and_read(two.urls)[0] == 2


def test_a_process_id_that_now_belongs_to_another_program_is_no_hindrance(program, folder):
    one = program()
    write_and_read(one.urls)
    for pid in [one.process.pid, *server_pids(folder)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    path = folder / "postgresql-18" / "postmaster.pid"
    _, *rest = path.read_text().splitlines()
    path.write_text("\n".join([str(os.getpid()), *rest]) + "\n")

    assert write_and_read(program().urls)[0] == 2


def test_a_damaged_redis_file_is_thrown_away(program, folder):
    one = program()
    write_and_read(one.urls)
    one.leave()
    wait_until(lambda: server_pids(folder) == [])
    for file in (folder / "redis").rglob("*.aof*"):
        file.write_bytes(b"*3\r\n$3\r\nnonsense that no Redis wrote\r\n" * 50)

    again = program()

    assert write_and_read(again.urls) == [2, 1]


def test_a_removed_folder_stops_its_servers(program, folder):
    one = program()
    write_and_read(one.urls)

    shutil.rmtree(folder)

    wait_until(lambda: server_pids(folder) == [])


def test_a_path_too_long_for_a_socket_works(folder, tmp_path):
    deep = tmp_path.joinpath("deep " + "folder-" * 12, 'with, comma and "quotes"', "x" * 60)
    assert len(str(deep)) > 150
    one = Program(deep)
    try:
        assert write_and_read(one.urls) == [1, 1]
    finally:
        one.kill()
    wait_until(lambda: server_pids(deep) == [])


def test_a_command_of_another_program_works_while_servers_run(program, folder):
    one = program()
    assert one.urls

    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--plan", "-v0"],
        cwd=settings.BASE_DIR,
        env={
            **{k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}},
            "ZONE_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "zone.settings",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
