"""`manage.py import_members FILE`: members a wallet already knows to be bound."""

import csv
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from zone.members.services.importing import COLUMNS, Report, UnreadableFile, import_members


class Command(BaseCommand):
    help = "Import members of a wallet's list (CSV); prints a report as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--refused",
            type=Path,
            help="write the rows that were not taken here, to be corrected and imported again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as lines:
                report = import_members(lines)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except (UnicodeDecodeError, csv.Error, UnreadableFile) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        if options["refused"]:
            _write_refused(options["refused"], report)
        self.stdout.write(json.dumps(_as_json(report), indent=2))


def _as_json(report: Report) -> dict[str, object]:
    return {
        "rows": report.rows,
        "members_added": report.members_added,
        "bindings_added": report.bindings_added,
        "known": report.known,
        "refused": len(report.faults),
        "faults": [{"line": fault.line, "reason": fault.reason} for fault in report.faults],
    }


def _write_refused(path: Path, report: Report) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=[*COLUMNS, "reason"])
        writer.writeheader()
        for fault in report.faults:
            writer.writerow({**fault.values, "reason": fault.reason})
