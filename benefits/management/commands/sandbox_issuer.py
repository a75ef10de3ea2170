"""Run the sandbox issuer: a separate process that makes trials for the demo and the tests."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from benefits.providers.sandbox_issuer import serve


class Command(BaseCommand):
    help = (
        "Answer orders for trials on 127.0.0.1, with delays, refusals and lost replies on demand."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument(
            "--data", type=Path, help="where orders are kept; a folder of the data folder if absent"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ZONE_SANDBOX:
            raise CommandError("The sandbox is off (ZONE_SANDBOX).")
        try:
            serve(port=options["port"], folder=options["data"] or settings.ZONE_DATA / "issuer")
        except OSError as error:
            raise CommandError(
                f"Cannot serve on port {options['port']}: {error.strerror}."
            ) from error
        except KeyboardInterrupt:
            return
