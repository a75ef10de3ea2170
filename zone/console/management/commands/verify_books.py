"""Verify every promise of the books: one query each, no row may come back."""

import time
from argparse import ArgumentParser
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

_BOOKS = ("credits.verify", "benefits.verify")
_KEYS_SHOWN = 20
_FINDINGS_SHOWN = 100


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
            help="also recompute every sealed block outside the database, naming changed rows",
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
            broken += self._check_seals()
        if broken:
            raise CommandError(f"the books are broken: {broken} invariants fail")
        self.stdout.write(f"the books are sound; warnings: {warned}")

    def _check_seals(self) -> int:
        started, count = time.monotonic(), 0
        findings = import_module("credits.queries.seals").check_seals()
        lines = []
        for finding in findings:
            count += 1
            if count <= _FINDINGS_SHOWN:
                lines.append(f"       {finding}")
        self.stdout.write(
            f"{'FAIL' if count else 'ok  '} SEALS {count:>7} rows {time.monotonic() - started:>8.3f} s"
            "  every sealed block, recomputed from its rows"
        )
        for line in lines:
            self.stdout.write(line)
        if count > _FINDINGS_SHOWN:
            self.stdout.write(f"       and {count - _FINDINGS_SHOWN} more")
        return 1 if count else 0


def _invariants_of(room: str) -> list[Any]:
    invariants: list[Any] = import_module(room).INVARIANTS
    return invariants
