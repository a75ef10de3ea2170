"""Reading a file of codes: good rows are taken, faulty ones are named by line and kind."""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from typing import IO, Any, NamedTuple

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from benefits.errors import ImportRefused
from benefits.models import CodeBatch, Release
from benefits.models.release import Fulfilment
from benefits.services import pools
from benefits.services.code_rows import NewCode, Sealer, copy_codes, find_known
from zone.core.failpoints import failpoint

CHUNK_ROWS = 16_000
LISTED_LINES_MAX = 10_000  # Per kind and reading; the counts stay exact.
LINE_LETTERS_MAX = 2_000
COLUMNS = ("code", "redemption_url", "expires_on", "storefront")


class _Row(NamedTuple):
    line: int
    code: str
    url: str
    expires_on: date | None
    code_index: bytes


@dataclass(slots=True)
class ImportReport:
    """What became of a file: rows read, codes taken, and the lines that were not, by kind."""

    rows: int = 0
    accepted: int = 0
    faulty_lines: dict[str, list[int]] = field(default_factory=dict)
    faulty_counts: dict[str, int] = field(default_factory=dict)

    def refuse(self, line: int, kind: str) -> None:
        self.faulty_counts[kind] = self.faulty_counts.get(kind, 0) + 1
        lines = self.faulty_lines.setdefault(kind, [])
        if len(lines) < LISTED_LINES_MAX:
            lines.append(line)

    def as_json(self) -> dict[str, Any]:
        """Without a single code: lines are enough to find a row in one's own file."""
        report: dict[str, Any] = {
            "rows": self.rows,
            "accepted": self.accepted,
            "faulty_lines": {kind: sorted(lines) for kind, lines in self.faulty_lines.items()},
        }
        if any(count > LISTED_LINES_MAX for count in self.faulty_counts.values()):
            report["faulty_counts"] = self.faulty_counts
        return report


def import_codes(
    *,
    release: Release,
    source: IO[bytes],
    file_name: str,
    actor: str,
    now: datetime,
    expires_on: date | None = None,
    life_days_min: int = 7,
    kept_for: str = "",
) -> ImportReport:
    """Load a file of codes into a release and put them on sale.

    The file is read twice as a stream, once for its hash and once for its rows, and is never
    written anywhere. Rows are stored in chunks and go on sale together at the end, so a killed
    import sells nothing; running it again takes what is missing and sells the whole. A repeat of
    a finished import adds nothing and names every row `already_known`.

    Raises ImportRefused for a release without codes or a file without its columns, CodesExpired
    when `expires_on` leaves less than the guaranteed life, CodesLiveTooLong when Apple gives none
    such a life.
    """
    if release.mode != Fulfilment.CODES:
        raise ImportRefused(why=_("this release does not hand out codes."))
    pools.refuse_end(expires_on, release=release, life_days=life_days_min, now=now)
    reader = Import(release=release, actor=actor, now=now, life_days=life_days_min)
    reader.file_name = file_name[:120]
    reader.kept_for = kept_for
    reader.file_hash = _hash(source)
    chunk: list[_Row] = []
    for row in reader.sound_rows(source, expires_on):
        chunk.append(row)
        if len(chunk) == CHUNK_ROWS:
            reader.store(chunk)
            chunk = []
    reader.store(chunk)
    pools.publish_codes(release=release, actor=actor, now=now)
    reader.finish()
    return reader.report


def _hash(source: IO[bytes]) -> bytes:
    source.seek(0)
    digest = hashlib.sha256()
    while block := source.read(1 << 16):
        digest.update(block)
    source.seek(0)
    return digest.digest()


class Import:
    """One reading of one file: what it has seen, and the batches it fills."""

    def __init__(self, *, release: Release, actor: str, now: datetime, life_days: int) -> None:
        self.release = release
        self.actor = actor
        self.now = now
        self.life_days = life_days
        self.zone = pools.market_zone(release.benefit)
        self.file_name = ""
        self.file_hash = b""
        self.report = ImportReport()
        self.kept_for = ""
        self.source: str = CodeBatch.Source.FILE
        self.line_offset = 0  # Of a part of a file: what its own line numbers lack.
        # Codes of this file above this slot came with this very reading of it.
        self.first_slot: int | None = None
        self.batches: dict[date | None, tuple[CodeBatch, bytes]] = {}
        self.day_faults: dict[date, str] = {}
        self.rejected: dict[int, tuple[str, ...]] = {}

    def sound_rows(self, source: IO[bytes], expires_on: date | None) -> Iterator[_Row]:
        """Rows that could be taken, in order; the others go to the report."""
        seen: set[bytes] = set()
        storefronts = {"", *self.release.benefit.storefronts}
        index_of = pools.indexer(livemode=self.release.livemode).index
        # Codes of one country are for a benefit of that country alone.
        is_bound = len(storefronts) == 2
        for read_line, values in _lines(source):
            line = read_line + self.line_offset
            self.report.rows += 1
            code, url, ends, storefront = values
            try:
                day = expires_on or (date.fromisoformat(ends) if ends else None)
            except ValueError:
                self._reject(line, "bad_date", values)
                continue
            fault = pools.find_code_fault(code)
            if not fault and (url or self.source == CodeBatch.Source.FILE):
                fault = pools.find_url_fault(url)
            if not fault and day is not None:
                fault = self._day_fault(day)
            if not fault and storefront and not (is_bound and storefront in storefronts):
                fault = "wrong_storefront"
            if fault:
                self._reject(line, fault, values)
                continue
            index = index_of(code)
            if index in seen:
                self.report.refuse(line, "duplicate_in_file")
                continue
            seen.add(index)
            yield _Row(line, code, url, day, index)

    def _reject(self, line: int, kind: str, values: tuple[str, ...]) -> None:
        """A row that can be corrected and loaded again. Duplicates cannot, and are not kept."""
        self.report.refuse(line, kind)
        self.rejected[line] = values

    def _day_fault(self, day: date) -> str:
        if day not in self.day_faults:
            self.day_faults[day] = pools.find_end_fault(
                day,
                benefit=self.release.benefit,
                life_days=self.life_days,
                zone=self.zone,
                now=self.now,
            )
        return self.day_faults[day]

    def store(self, rows: list[_Row]) -> None:
        """Seal and insert a chunk, in one transaction with its place in the numbering."""
        if not rows:
            return
        for day in {row.expires_on for row in rows}:
            self._batch(day)
        with transaction.atomic():
            # Two imports into one release take their numbers one after the other.
            Release.objects.select_for_update(no_key=True).get(pk=self.release.pk)
            self._renew_keys()
            known = find_known([row.code_index for row in rows])
            highest = self.release.codes.aggregate(highest=Max("slot"))["highest"] or 0
            slots = count(max(highest, self.release.last_slot) + 1)
            batch_ids = {day: batch.pk for day, (batch, _key) in self.batches.items()}
            codes = [
                NewCode(next(slots), batch_ids[row.expires_on], row.code_index, row.code, row.url)
                for row in rows
                if row.code_index not in known
            ]
            sealer = Sealer(release_id=self.release.pk, batches=self.batches.values())
            copy_codes(sealer, codes)
        failpoint("import_after_chunk")
        self.report.accepted += len(codes)
        for row in rows:
            if row.code_index in known:
                self.report.refuse(row.line, self._why_known(*known[row.code_index]))

    def _why_known(self, release_id: int, slot: int, file_hash: bytes) -> str:
        """Whether a code came with an earlier part of this file, or was known before it."""
        is_ours = (
            self.first_slot is not None
            and release_id == self.release.pk
            and slot > self.first_slot
            and file_hash == self.file_hash
        )
        return "duplicate_in_file" if is_ours else "already_known"

    def _batch(self, day: date | None) -> tuple[CodeBatch, bytes]:
        """The batch of this file and end date, made now or by a run that was cut short."""
        if day not in self.batches:
            key, wrapped = pools.new_batch_key()
            batch, is_new = CodeBatch.objects.get_or_create(
                release=self.release,
                source=self.source,
                file_hash=self.file_hash,
                expires_on=day,
                defaults={
                    "life_days_min": self.life_days,
                    "kept_for": self.kept_for,
                    "key_sealed": wrapped,
                    "file_name": self.file_name,
                    "actor": self.actor,
                    "created_at": self.now,
                },
            )
            self.batches[day] = (batch, key if is_new else pools.open_batch_key(batch))
        return self.batches[day]

    def _renew_keys(self) -> None:
        """A batch's key may have been replaced since the last chunk. Inside its transaction: from
        here on the old key is not deleted before the chunk is committed or gone."""
        for day, (batch, _key) in self.batches.items():
            number = batch.key_number
            batch.refresh_from_db(fields=["key_number", "key_sealed"])
            if batch.key_number != number:
                self.batches[day] = (batch, pools.open_batch_key(batch))

    def finish(self) -> None:
        """Keep the report with each batch that this file made."""
        for batch, _key in self.batches.values():
            if batch.finished_at is None:
                batch.report = self.report.as_json()
                batch.finished_at = self.now
                batch.save(update_fields=["report", "finished_at"])


def read_header(source: IO[bytes]) -> list[str]:
    """The names in the first line. Raises ImportRefused when one that is needed is missing."""
    first = io.TextIOWrapper(source, encoding="utf-8-sig", newline="").readline()
    header = [name.strip().lower() for name in next(csv.reader([first]), [])]
    _refuse_without_columns(header)
    return header


def _refuse_without_columns(header: list[str]) -> None:
    missing = [name for name in COLUMNS[:2] if name not in header]
    if missing:
        raise ImportRefused(
            why=_("its first line does not name %(columns)s.") % {"columns": ", ".join(missing)}
        )


def _lines(source: IO[bytes]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The values of each row under COLUMNS, with the number of its line; the header is line 1.

    Raises ImportRefused for a file that is no CSV in UTF-8 with the columns it needs.
    """
    text = io.TextIOWrapper(source, encoding="utf-8-sig", newline="")
    try:
        reader = csv.reader(text)
        header = [name.strip().lower() for name in next(reader, [])]
        _refuse_without_columns(header)
        places = [header.index(name) if name in header else len(header) for name in COLUMNS]
        for values in reader:
            if not values:
                continue
            if sum(map(len, values)) > LINE_LETTERS_MAX:
                raise ImportRefused(
                    why=_("line %(number)s is too long.") % {"number": reader.line_num}
                )
            width = len(values)
            yield (
                reader.line_num,
                tuple([values[place].strip() if place < width else "" for place in places]),
            )
    except UnicodeDecodeError as error:
        raise ImportRefused(why=_("it is not written in UTF-8.")) from error
    except csv.Error as error:
        raise ImportRefused(
            why=_("line %(number)s cannot be read as CSV.") % {"number": reader.line_num}
        ) from error
    finally:
        text.detach()  # The caller opened the file and closes it.
