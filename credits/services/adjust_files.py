"""Reading a file of corrections: every line is judged before anything moves."""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from credits.errors import LedgerError
from credits.ledger import AMOUNT_MAX
from credits.models import AdjustBatch, AdjustRow
from credits.services.adjustments import GOOD_FOR
from zone.core.clock import database_now
from zone.members.models import Member

FILE_BYTES_MAX = 4 * 1024 * 1024
ROWS_MAX = 50_000
_CHUNK = 2_000
Status = AdjustRow.Status


class AdjustFileRefused(LedgerError):
    """The file as a whole cannot be read; `facts` say why."""

    code = "adjust_file_refused"
    sentence = _("This file was not taken: %(why)s")


@dataclass(frozen=True, slots=True)
class FileRow:
    """One line as it was judged. `fault` is empty for a sound one."""

    line: int
    given: str
    member_id: int | None
    amount: int | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class AdjustFile:
    name: str
    digest: bytes
    rows: list[FileRow]


def read_adjust_file(data: bytes, *, name: str, members: QuerySet[Member]) -> AdjustFile:
    """Lines `member,amount` under a header, each judged; `members` are those that may be named.

    Raises AdjustFileRefused for what is no such file.
    """
    lines = _lines_of(data)
    known: dict[str, int] = {}
    for start in range(0, len(lines), _CHUNK):
        ids = [given for _number, given, _amount in lines[start : start + _CHUNK]]
        known |= dict(members.filter(public_id__in=ids).values_list("public_id", "pk"))
    seen: set[int] = set()
    rows = []
    for number, given, text in lines:
        member_id, amount = known.get(given), _amount(text)
        fault = (
            "unknown_member" if member_id is None
            else "wrong_amount" if amount is None
            else "member_twice" if member_id in seen
            else ""
        )  # fmt: skip
        if member_id is not None:
            seen.add(member_id)
        rows.append(FileRow(number, given[:64], member_id, amount, fault))
    return AdjustFile(name=name[:120], digest=hashlib.sha256(data).digest(), rows=rows)


def _lines_of(data: bytes) -> list[tuple[int, str, str]]:
    if len(data) > FILE_BYTES_MAX:
        raise AdjustFileRefused(why=_("it is longer than 4 MB."))
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        if not {"member", "amount"} <= set(reader.fieldnames or ()):
            raise AdjustFileRefused(
                why=_("its first line must name the columns member and amount.")
            )
        lines = [
            (reader.line_num, (row["member"] or "").strip(), (row["amount"] or "").strip())
            for row in reader
        ]
    except UnicodeDecodeError as error:
        raise AdjustFileRefused(why=_("it is not written in UTF-8.")) from error
    except csv.Error as error:
        raise AdjustFileRefused(why=_("it is no CSV.")) from error
    if not lines:
        raise AdjustFileRefused(why=_("it has no rows."))
    if len(lines) > ROWS_MAX:
        raise AdjustFileRefused(why=_("it has more than 50,000 rows."))
    return lines


def _amount(text: str) -> int | None:
    """A whole number with its sign, in plain digits; None for anything else, and for zero."""
    digits = text.removeprefix("+").removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 10 or text[:2] == "+-":
        return None
    amount = int(text)
    return amount if 0 < abs(amount) <= AMOUNT_MAX else None


def ask_for_batch(batch: AdjustBatch, *, file: AdjustFile, maker: User) -> None:
    """The file waits as a preview, good for 24 hours, with each line's verdict; nothing moves.

    Raises AdjustFileRefused for a file that is known.
    """
    batch.file_name, batch.file_hash = file.name, file.digest
    try:
        with transaction.atomic():
            store_batch(batch, rows=file.rows, maker=maker)
    except IntegrityError as error:
        if "credits_adjustbatch_file_once" not in str(error):
            raise
        raise AdjustFileRefused(why=_("the same file was taken before.")) from error


def store_batch(batch: AdjustBatch, *, rows: Iterable[FileRow], maker: User) -> None:
    """The batch with its rows and their totals, to be decided on."""
    rows = list(rows)
    sound = [row.amount for row in rows if not row.fault and row.amount is not None]
    now = database_now()
    batch.maker, batch.created_at, batch.expires_at = maker, now, now + GOOD_FOR
    batch.row_count, batch.fault_count = len(rows), len(rows) - len(sound)
    batch.given = sum(amount for amount in sound if amount > 0)
    batch.taken = -sum(amount for amount in sound if amount < 0)
    batch.save()
    AdjustRow.objects.bulk_create(
        (
            AdjustRow(
                batch=batch,
                line=row.line,
                given_member=row.given,
                member_id=row.member_id,
                amount=row.amount,
                status=Status.FAULTY if row.fault else Status.SOUND,
                fault=row.fault,
            )
            for row in rows
        ),
        batch_size=_CHUNK,
    )
