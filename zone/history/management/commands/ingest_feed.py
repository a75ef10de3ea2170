"""`manage.py ingest_feed FILE`: a file of wallet messages through the services of the HTTP door."""

import json
import sys
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from zone.history.services.ingest import Message, Outcome, Receipt, ingest_batch
from zone.history.services.ingest.reading import Bill, RefundNews
from zone.members.models import Wallet

CHUNK_MESSAGES = 500


class Command(BaseCommand):
    help = (
        "Ingest a JSON Lines file of wallet messages ({wallet, path, body} a line), 500 a "
        "transaction. Prints what became of them as JSON. Safe to stop and to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--progress", action="store_true", help="count on standard error")

    def handle(self, *args: Any, file: Path, progress: bool, **options: Any) -> None:
        try:
            source = file.open(encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        summary = _Summary()
        with source:
            lines = enumerate(source, start=1)
            while chunk := list(islice(lines, CHUNK_MESSAGES)):
                self._ingest(chunk, summary)
                if progress:
                    sys.stderr.write(f"\r{summary.messages} messages")
                    sys.stderr.flush()
        if progress:
            sys.stderr.write("\n")
        self.stdout.write(json.dumps(summary.as_facts(), indent=1))

    def _ingest(self, chunk: list[tuple[int, str]], summary: "_Summary") -> None:
        messages = list(self._messages(chunk, summary))
        for message, receipt in zip(messages, ingest_batch(messages), strict=True):
            summary.add(message.wallet_code, receipt)

    def _messages(self, chunk: list[tuple[int, str]], summary: "_Summary") -> Iterator[Message]:
        for number, line in chunk:
            if not line.strip():
                continue
            try:
                sent = json.loads(line)
                yield Message(summary.wallet_of(sent["wallet"]), sent["path"], sent["body"])
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                # Not even an envelope, so no wallet to keep it for: the line number must do.
                self.stderr.write(f"line {number}: not a wallet message ({error})")
                summary.add_broken()


class _Summary:
    """Counts of every message, and sums of the stored ones, for each wallet."""

    def __init__(self) -> None:
        self.messages = 0
        self.by_outcome = dict.fromkeys(map(str, Outcome), 0)
        self.currencies = dict(Wallet.objects.values_list("code", "currency"))
        self.stored: dict[str, dict[str, int]] = defaultdict(
            lambda: {"charges": 0, "charged": 0, "refunds": 0, "refunded": 0,
                     "subscription_events": 0}
        )  # fmt: skip

    def wallet_of(self, code: object) -> str:
        if not isinstance(code, str) or code not in self.currencies:
            raise ValueError(f"unknown wallet {code!r}")
        return code

    def add_broken(self) -> None:
        self.messages += 1
        self.by_outcome[Outcome.ILLEGAL] += 1

    def add(self, wallet_code: str, receipt: Receipt) -> None:
        self.messages += 1
        self.by_outcome[receipt.outcome] += 1
        if receipt.outcome != Outcome.STORED:
            return
        sums = self.stored[wallet_code]
        if isinstance(receipt.news, Bill):
            sums["charges"] += 1
            sums["charged"] += receipt.news.amount
        elif isinstance(receipt.news, RefundNews):
            sums["refunds"] += 1
            sums["refunded"] += receipt.news.amount
        else:
            sums["subscription_events"] += 1

    def as_facts(self) -> dict[str, object]:
        return {
            "messages": self.messages,
            "by_outcome": self.by_outcome,
            "stored_by_wallet": {
                code: {"currency": self.currencies[code], **sums}
                for code, sums in sorted(self.stored.items())
            },
        }
