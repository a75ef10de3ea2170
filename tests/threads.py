"""Real threads that start together."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
START_SECONDS_MAX = 30


def together(jobs: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run every job in a thread of its own, all let go at one moment.

    Answers come in the order of `jobs`; a job that raised answers with its exception. Needs the
    `cloned_database` fixture: the rolled-back database is seen by one connection only.
    """
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T | Exception:
        try:
            connections["default"].ensure_connection()
            barrier.wait(START_SECONDS_MAX)
            return job()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        return list(pool.map(run, jobs))
