"""`manage.py seed_zone`: a believable Zone in an empty database, for demonstrations and trials."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from zone.console.seed.access import PARTNER, access_file, write_access
from zone.console.seed.people import draw_people
from zone.console.seed.run import Seeding
from zone.console.services import books
from zone.members.models import Member
from zone.partners.models import Partner


class Command(BaseCommand):
    help = (
        "Fill an empty Zone with people, a year of purchases, a live catalogue, claims, operators "
        "in each role and one partner. Does nothing when that was done before."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scale", type=float, default=1.0, help="1 is about 420 people; 0.1 about 42"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("ZONE_ENV is production: test people do not belong there.")
        if not 0 < options["scale"] <= 100:
            raise CommandError("--scale: must be above 0 and at most 100.")
        if Partner.objects.filter(slug=PARTNER).exists():
            self._already(options["scale"])
            return
        if Member.objects.exists():
            raise CommandError(
                "There are members already, and no finished seeding. Start from an empty database."
            )
        self.began = time.monotonic()
        with translation.override("en"):
            seeding = Seeding(scale=options["scale"], say=self._say)
            people = seeding.run()
            path = write_access(people)
            books.request_check(requested_by="system")
            check = books.run_open_check()
        self._say(f"books: {check.status if check else 'being checked elsewhere'}")
        self._say(f"who may enter is in {path}")

    def _already(self, scale: float) -> None:
        """Seeded before. A lost access file is written anew, with new passwords and keys."""
        self.began = time.monotonic()
        if access_file().exists():
            self._say("seeded before; nothing to do")
            return
        path = write_access(draw_people(scale=scale, now=timezone.now()))
        self._say(f"seeded before; new passwords and keys are in {path}")

    def _say(self, line: str) -> None:
        self.stdout.write(f"{time.monotonic() - self.began:6.1f} s  {line}")
        self.stdout.flush()
