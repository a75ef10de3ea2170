"""Verify every promise of the books: one query each, no row may come back."""

import time
from argparse import ArgumentParser
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

_BOOKS = ("credits.verify", "benefits.verify")
_KEYS_SHOWN = 20
_FINDINGS_SHOWN = 100
_BLOCKS_CHECKED = 1000


class Command(BaseCommand):
    help = (
        "Run every invariant of the books and name what breaks one. Exits 1 when any row comes "
        "back; promises of liveness only warn, unless --strict."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="warnings count as errors")
        parser.add_argument(
            "--seals",
            action="store_true",
            help=f"also recompute the newest {_BLOCKS_CHECKED} sealed blocks outside the database,"
            " naming changed rows, and compare the log of published roots",
        )
        parser.add_argument(
            "--full", action="store_true", help="with --seals: every block, however long it takes"
        )
        parser.add_argument("--only", nargs="+", metavar="ID", help="run these invariants alone")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = warned = 0
        chosen = options["only"]
        invariants = [i for room in _BOOKS if find_spec(room) for i in _invariants_of(room)]
        if unknown := set(chosen or ()) - {i.id for i in invariants}:
            raise CommandError(f"no such invariant: {', '.join(sorted(unknown))}")
        for invariant in invariants:
            if chosen and invariant.id not in chosen:
                continue
            started = time.monotonic()
            with connection.cursor() as cursor:
                cursor.execute(invariant.sql)
                rows = cursor.fetchmany(_KEYS_SHOWN)
                count = cursor.rowcount
            seconds = time.monotonic() - started
            is_warning = invariant.is_liveness and not options["strict"]
            verdict = "ok  " if not count else "warn" if is_warning else "FAIL"
            self.stdout.write(
                f"{verdict} {invariant.id:<5} {count:>7} rows {seconds:>8.3f} s  {invariant.title}"
            )
            for row in rows:
                self.stdout.write(f"       {', '.join(str(value) for value in row)}")
            if count > _KEYS_SHOWN:
                self.stdout.write(f"       and {count - _KEYS_SHOWN} more")
            if count and is_warning:
                warned += 1
            elif count:
                broken += 1
        if options["seals"]:
            broken += self._check_seals(is_full=options["full"])
            broken += self._check_log()
        if broken:
            raise CommandError(f"the books are broken: {broken} invariants fail")
        self.stdout.write(f"the books are sound; warnings: {warned}")

    def _check_seals(self, *, is_full: bool) -> int:
        seals = import_module("credits.queries.seals")
        newest = seals.find_newest_block()
        first = 1 if is_full else max(1, newest - _BLOCKS_CHECKED + 1)
        title = f"sealed blocks {first} to {newest}, recomputed from their rows"
        return self._list("SEALS", title, seals.check_seals(first))

    def _check_log(self) -> int:
        if not settings.SEAL_LOG:
            self.stdout.write("     LOG           no log of published roots is kept (SEAL_LOG)")
            return 0
        anchoring = import_module("credits.services.anchoring")
        title = f"the log of published roots, signed with {anchoring.public_key()}"
        return self._list("LOG", title, anchoring.check_log())

    def _list(self, name: str, title: str, findings: Iterable[Any]) -> int:
        started, count = time.monotonic(), 0
        lines = []
        for finding in findings:
            count += 1
            if count <= _FINDINGS_SHOWN:
                lines.append(f"       {finding}")
        self.stdout.write(
            f"{'FAIL' if count else 'ok  '} {name:<5} {count:>7} rows"
            f" {time.monotonic() - started:>8.3f} s  {title}"
        )
        for line in lines:
            self.stdout.write(line)
        if count > _FINDINGS_SHOWN:
            self.stdout.write(f"       and {count - _FINDINGS_SHOWN} more")
        return 1 if count else 0


def _invariants_of(room: str) -> list[Any]:
    invariants: list[Any] = import_module(room).INVARIANTS
    return invariants
