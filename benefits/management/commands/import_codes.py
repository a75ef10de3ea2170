"""Load coupon codes from a file into a release."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from benefits.models import CodeBatch, Release
from benefits.services.imports import import_codes
from zone.core.clock import database_now
from zone.core.errors import ZoneError


class Command(BaseCommand):
    help = (
        "Load a CSV file (code, redemption_url, expires_on) into a release and put the codes on "
        "sale. Faulty rows are named by line and kind, the rest is taken; a second run adds "
        "nothing. Prints what became of the file as JSON."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--release", required=True, help="public id of the release, rel_...")
        parser.add_argument(
            "--expires-on", type=date.fromisoformat, help="YYYY-MM-DD, instead of the file's own"
        )
        parser.add_argument(
            "--life-days", type=int, default=7, help="days of use every member is promised"
        )

        parser.add_argument(
            "--keep",
            choices=[kind for kind in CodeBatch.KeptFor.values if kind],
            default="",
            help="not on sale: until the pool is low, or to replace codes that do not work",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        release = (
            Release.objects.select_related("benefit").filter(public_id=options["release"]).first()
        )
        if release is None:
            raise CommandError(f"There is no release {options['release']}.")
        if options["life_days"] < 0:
            raise CommandError("--life-days cannot be negative.")
        try:
            with options["file"].open("rb") as source:
                report = import_codes(
                    release=release,
                    source=source,
                    file_name=options["file"].name,
                    actor="operator:command line",
                    now=database_now(),
                    expires_on=options["expires_on"],
                    life_days_min=options["life_days"],
                    kept_for=options["keep"],
                )
        except OSError as error:
            raise CommandError(f"Cannot read {options['file']}: {error.strerror}.") from error
        except ZoneError as error:
            raise CommandError(str(error)) from error
        json.dump(report.as_json(), sys.stdout, indent=1)
        sys.stdout.write("\n")
