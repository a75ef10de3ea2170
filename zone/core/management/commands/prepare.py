"""`manage.py prepare`: everything this version needs before its processes start."""

import time
from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from zone.core.catalogues import compile_catalogues
from zone.core.upgrade import find_half_way, tell_half_way


class Command(BaseCommand):
    help = (
        "Bring tables, database roles, operators' roles, languages and static files up to this "
        "version. Safe to repeat; one process, so a start with nothing to do takes seconds."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if rooms := find_half_way():
            raise CommandError(tell_half_way(rooms))
        self._step("Tables", lambda: call_command("migrate", interactive=False, verbosity=0))
        self._step("Roles", self._set_up_roles)
        self._step("Languages", compile_catalogues)
        self._step(
            "Static files",
            lambda: call_command("collectstatic", interactive=False, verbosity=0),
        )

    def _set_up_roles(self) -> None:
        """The database's roles first: the operators' are rows, and both follow the tables."""
        call_command("setup_roles", stdout=self.stderr, stderr=self.stderr)
        call_command("setup_groups", stdout=self.stderr)

    def _step(self, name: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        self.stdout.write(f"  {name:<32}{time.monotonic() - began:5.1f} s")
        self.stdout.flush()
