"""A file of codes as it arrives: cut at line ends and sealed, never in clear on a disk."""

import codecs
import csv
import hashlib
import io
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from benefits.errors import ImportRefused
from benefits.models import CodeBatch, CodeImport, CodeImportFault, CodeImportPart, Release
from benefits.models.release import Fulfilment
from benefits.services import pools
from zone.core import vault
from zone.core.nudge import nudge

PART_BYTES = 1024 * 1024  # About ten thousand codes with their addresses.
FILE_BYTES_MAX = 512 * 1024 * 1024
LINE_BYTES_MAX = 8 * 1024
STAGING_HOURS_MAX = 1
FAULTS_KEPT_FOR = timedelta(days=30)
_KEY_PURPOSE = "benefits-code-import"


def _aad(code_import_id: int, number: int) -> bytes:
    return f"import:{code_import_id}:{number}".encode()


def seal_fault(
    row: CodeImport, fault: CodeImportFault, values: tuple[str, ...], key: bytes
) -> None:
    """Keep a line that was not taken, sealed, for whoever corrects it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(values)
    aad = _aad(row.pk, fault.line) + b":fault"
    fault.sealed = vault.seal(text.getvalue().encode(), aad=aad, key=key)


def open_fault(fault: CodeImportFault, key: bytes) -> list[str]:
    """The values of a line that was not taken. Raises VaultError when it does not open."""
    aad = _aad(fault.code_import_id, fault.line) + b":fault"
    plain = vault.unseal(bytes(fault.sealed or b""), aad=aad, key=key)
    return next(csv.reader(io.StringIO(plain.decode(), newline="")))


def open_key(row: CodeImport) -> bytes:
    """The key of a file's parts and faults. Raises VaultError when it is gone."""
    return vault.unwrap(bytes(row.key_sealed or b""), purpose=_KEY_PURPOSE)


def open_part(part: CodeImportPart) -> bytes:
    """The lines of a part in clear, in memory. Raises VaultError when it does not open."""
    owner = part.code_import
    return vault.unseal(bytes(part.sealed), aad=_aad(owner.pk, part.number), key=open_key(owner))


class Stager:
    """One arriving file. `write` what comes, then `finish`; or `abandon`, and nothing is left."""

    def __init__(
        self,
        *,
        release: Release,
        file_name: str,
        actor: str,
        now: datetime,
        source: str = CodeBatch.Source.FILE,
    ) -> None:
        """Raises ImportRefused for a release without codes."""
        if release.mode != Fulfilment.CODES:
            raise ImportRefused(why=_("this release does not hand out codes."))
        self.release = release
        self.key = vault.new_data_key()
        self.row = CodeImport.objects.create(
            release=release,
            file_name=file_name[:120],
            source=source,
            key_sealed=vault.wrap(self.key, purpose=_KEY_PURPOSE),
            actor=actor,
            created_at=now,
        )
        self.digest = hashlib.sha256()
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.rest = b""
        self.line = 1
        self.is_finished = False

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises ImportRefused for what is no text in UTF-8, or too long."""
        self.row.file_bytes += len(data)
        if self.row.file_bytes > FILE_BYTES_MAX:
            raise ImportRefused(why=_("it is too long."))
        try:
            self.decoder.decode(data)
        except UnicodeDecodeError as error:
            raise ImportRefused(why=_("it is not written in UTF-8.")) from error
        self.digest.update(data)
        self.rest += data
        while len(self.rest) >= PART_BYTES:
            cut = self._line_end()
            self._store(self.rest[:cut])
            self.rest = self.rest[cut:]

    def _line_end(self) -> int:
        """Behind the last line end of the first PART_BYTES. Raises ImportRefused."""
        cut = self.rest.rfind(b"\n", 0, PART_BYTES) + 1
        # Inside quotes a line end is part of a value: no field of ours may hold one.
        if cut == 0 or self.rest.count(b'"', 0, cut) % 2:
            raise ImportRefused(why=_("a line is too long, or a quote is not closed."))
        return cut

    def _store(self, lines: bytes) -> None:
        number = self.row.part_count
        CodeImportPart.objects.create(
            code_import=self.row,
            number=number,
            first_line=self.line,
            sealed=vault.seal(lines, aad=_aad(self.row.pk, number), key=self.key),
        )
        self.line += lines.count(b"\n")
        self.row.part_count += 1

    def finish(
        self, *, expires_on: date | None, life_days_min: int, now: datetime, kept_for: str = ""
    ) -> CodeImport:
        """The file is complete: workers may take it. Raises ImportRefused and
        what `pools.refuse_end` raises."""
        if self.decoder.getstate()[0]:
            raise ImportRefused(why=_("it is not written in UTF-8."))
        pools.refuse_end(expires_on, release=self.release, life_days=life_days_min, now=now)
        with transaction.atomic():
            if self.rest:
                self._store(self.rest)
            if not self.row.part_count:
                raise ImportRefused(why=_("it is empty."))
            self.row.state = CodeImport.State.WAITING
            self.row.file_hash = self.digest.digest()
            self.row.expires_on = expires_on
            self.row.life_days_min = life_days_min
            self.row.kept_for = kept_for
            self.row.save()
        self.is_finished = True
        nudge("benefits.tasks.drain_imports")
        return self.row

    def abandon(self) -> None:
        """What came so far is deleted. Nothing to do after `finish`."""
        if not self.is_finished:
            self.row.delete()


def sweep_abandoned(*, now: datetime) -> int:
    """Delete files that stopped arriving: their connection broke."""
    old = CodeImport.objects.filter(
        state=CodeImport.State.STAGING, created_at__lte=now - timedelta(hours=STAGING_HOURS_MAX)
    )
    return old.delete()[0]


def sweep_faults(*, now: datetime) -> int:
    """Lines that were not taken are forgotten after a month, with the key that sealed them."""
    old = CodeImport.objects.filter(
        finished_at__lte=now - FAULTS_KEPT_FOR, key_sealed__isnull=False
    )
    CodeImportFault.objects.filter(code_import__in=old).update(sealed=None)
    return old.update(key_sealed=None)
