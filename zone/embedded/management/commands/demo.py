"""`manage.py demo`: everything at once, on this machine, for development and for showing."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from zone.embedded import demo, screen


class Command(BaseCommand):
    help = "Start servers, web, worker, beat and sandbox issuer; Ctrl-C stops all of them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--access",
            action="store_true",
            help="only tell how to enter, with codes of this moment",
        )
        parser.add_argument(
            "--scale", default="1", help="how many people a new Zone has: 1 is about 420"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["access"]:
            lines = screen.access_lines(settings.ZONE_DATA / demo.ACCESS_FILE)
            self.stdout.write("\n".join(lines))
            return
        demo.Demo(
            self._say,
            uses_postgres="DATABASE_URL" not in os.environ,
            uses_redis="REDIS_URL" not in os.environ,
            scale=options["scale"],
        ).run()

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
