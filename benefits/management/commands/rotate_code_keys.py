"""Give batches of codes new keys, seal their codes anew, and destroy the old keys."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from benefits.models import CodeBatch
from benefits.services import code_keys
from zone.core.clock import database_now
from zone.partners.services.webhooks import wrap_secrets_anew

ACTOR = "operator:command line"
PROGRESS_SECONDS = 2
WAIT_SECONDS = 60


class Command(BaseCommand):
    help = (
        "Give batches of codes a new data key each, seal their codes with it and delete the old "
        "key. Codes are read throughout. May be stopped at any moment and started again. "
        "--wrap only wraps them, and partners' webhook secrets, with the newest of ZONE_KEYS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", help="public id of one batch, cbt_...; all when absent")
        parser.add_argument("--release", help="public id of one release, rel_...")
        parser.add_argument("--wrap", action="store_true", help="wrap keys anew, leave codes alone")
        parser.add_argument(
            "--resume", action="store_true", help="finish what is under way, begin nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["wrap"]:
            count = code_keys.wrap_anew() + wrap_secrets_anew()
            self.stdout.write(f"Wrapped anew: {count} keys and secrets.")
            return
        batches = CodeBatch.objects.exclude(key_sealed=None)
        if options["batch"]:
            batches = batches.filter(public_id=options["batch"])
        if options["release"]:
            batches = batches.filter(release__public_id=options["release"])
        if (options["batch"] or options["release"]) and not batches.exists():
            raise CommandError("There is no such batch with a key.")
        if not options["resume"]:
            for batch in batches.filter(old_key_sealed=None):
                code_keys.start_rotation(batch=batch, actor=ACTOR, now=database_now())
        left = [batch.public_id for batch in self._under_way(batches) if not self._finish(batch)]
        if left:
            raise CommandError(f"The old key stays, run it again later: {', '.join(left)}.")

    def _under_way(self, batches: QuerySet[CodeBatch]) -> list[CodeBatch]:
        return list(batches.exclude(old_key_sealed=None).order_by("pk"))

    def _finish(self, batch: CodeBatch) -> bool:
        """Seal every code of a batch anew and delete its old key. False when that must wait."""
        total, done, after = code_keys.count_waiting(batch), 0, 0
        said = time.monotonic()
        while True:
            count, last = code_keys.reseal_some(batch, after=after)
            if last == after:
                break
            done, after = done + count, last
            if time.monotonic() - said >= PROGRESS_SECONDS:
                said = time.monotonic()
                self.stdout.write(f"{batch.public_id}: {done} of {total}")
        until = time.monotonic() + WAIT_SECONDS
        while not code_keys.finish_rotation(batch=batch, actor=ACTOR, now=database_now()):
            batch.refresh_from_db()
            if not batch.old_key_sealed:
                break  # A worker was faster.
            if time.monotonic() > until:
                return False
            # An older transaction may still be sealing with the old key: take what it left.
            code_keys.reseal_some(batch, after=0)
            time.sleep(0.2)
        self.stdout.write(f"{batch.public_id}: {done} codes sealed anew, the old key is gone")
        return True
