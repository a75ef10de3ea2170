"""`manage.py mirror_sandbox`: give every known member an account in their sandbox wallet."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from zone.core import clock
from zone.members.sandbox.services.mirror import mirror_members


class Command(BaseCommand):
    help = "Make sandbox accounts for members who came from a list, so that one can be them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wallet", default="", help="only this wallet")
        parser.add_argument("--limit", type=int, help="only so many, oldest first")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ZONE_SANDBOX:
            raise CommandError("ZONE_SANDBOX is off: there is no sandbox wallet here.")
        count = mirror_members(
            now=clock.database_now(), wallet_code=options["wallet"], limit=options["limit"]
        )
        self.stdout.write(f"{count} members have a sandbox account.")
