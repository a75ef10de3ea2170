"""Codes in hand: sealed when they come, on sale in ranges, opened by one verb alone."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BinaryField, F, Func, QuerySet, Value

from benefits.models import Benefit, Code, CodeBatch, Release
from benefits.services.stock import append_ranges, record_stock
from zone.core import vault
from zone.members.models import Wallet

KEY_PURPOSE = "benefits-code-batch"
_CODE_FORM = re.compile(r"[A-Z0-9]{8,32}")
LAST_LETTERS = 4
URL_LETTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A code in clear, on its way to the one person who may see it."""

    code: str
    redeem_url: str


def find_code_fault(code: str) -> str:
    """`bad_format`, or nothing. A code is 8 to 32 of A to Z and 0 to 9."""
    return "" if _CODE_FORM.fullmatch(code) else "bad_format"


def normalise(typed: str) -> str:
    """A code as people type or paste it, in the form it is known by.

    Spaces, dashes and dots that group letters are dropped, small and full-width letters are
    folded. Letters that look alike are left alone: a code from elsewhere may hold any of them.
    """
    folded = unicodedata.normalize("NFKC", typed).upper()
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum())


def find_url_fault(url: str) -> str:
    """`missing_url`, `foreign_host` (not https on a host we redeem at), or nothing."""
    if not url:
        return "missing_url"
    try:
        parts = urlsplit(url)
        is_ours = (
            parts.scheme == "https"
            and parts.hostname in settings.REDEEM_HOSTS
            and parts.port in (None, 443)
            and not parts.username
        )
    except ValueError:
        is_ours = False
    return "" if is_ours and len(url) <= URL_LETTERS_MAX else "foreign_host"


def index_of(code: str, *, livemode: bool) -> bytes:
    """The keyed hash under which a code is known in the whole installation."""
    return vault.blind_index("coupon-code-live" if livemode else "coupon-code-test", code)


def new_batch_key() -> tuple[bytes, bytes]:
    """A fresh data key, and the same wrapped for the batch's row."""
    key = vault.new_data_key()
    return key, vault.wrap(key, purpose=KEY_PURPOSE)


def open_batch_key(batch: CodeBatch) -> bytes:
    """The batch's data key. Raises VaultError when the key was deleted or does not open."""
    return vault.unwrap(bytes(batch.key_sealed or b""), purpose=KEY_PURPOSE)


def open_old_key(batch: CodeBatch) -> bytes:
    """The key that the newest one replaces. Raises VaultError when there is none any more."""
    return vault.unwrap(bytes(batch.old_key_sealed or b""), purpose=KEY_PURPOSE)


def codes_under_old_key(batch: CodeBatch) -> QuerySet[Code]:
    """Codes whose first byte names another key than the batch's newest; destroyed ones are none."""
    return (
        Code.objects.filter(batch=batch)
        .exclude(sealed=b"")
        .annotate(
            key_byte=Func(
                F("sealed"), Value(1), Value(1), function="substring", output_field=BinaryField()
            )
        )
        .exclude(key_byte=bytes([batch.key_number]))
    )


def _aad(release_id: int, slot: int, part: str) -> bytes:
    return f"{part}:{release_id}:{slot}".encode()


def seal_code(
    *, release: Release, slot: int, batch: CodeBatch, key: bytes, index: bytes, plain: OpenCode
) -> Code:
    """The row of one code, not saved. Neither code nor address can be read from it."""
    url = plain.redeem_url.encode()
    return Code(
        release=release,
        slot=slot,
        batch=batch,
        sealed=vault.seal(
            plain.code.encode(),
            aad=_aad(release.pk, slot, "code"),
            key=key,
            version=batch.key_number,
        ),
        redeem_url_sealed=vault.seal(
            url, aad=_aad(release.pk, slot, "url"), key=key, version=batch.key_number
        )
        if url
        else b"",
        code_index=index,
        last_four=plain.code[-LAST_LETTERS:],
        expires_on=batch.expires_on,
    )


def open_code(code: Code) -> OpenCode:
    """The code in clear. Raises VaultError when a single bit, the row or the key is not its own."""
    sealed = bytes(code.sealed)
    is_new = sealed[:1] == bytes([code.batch.key_number])
    key = open_batch_key(code.batch) if is_new else open_old_key(code.batch)
    slot = (code.release_id, code.slot)
    plain = vault.unseal(sealed, aad=_aad(*slot, "code"), key=key)
    url = bytes(code.redeem_url_sealed)
    return OpenCode(
        code=plain.decode(),
        redeem_url=vault.unseal(url, aad=_aad(*slot, "url"), key=key).decode() if url else "",
    )


def reseal(code: Code, *, old_key: bytes, key: bytes, number: int) -> tuple[int, bytes, bytes]:
    """A code's key and its two envelopes under the new data key. Raises VaultError."""
    envelopes = []
    for part, sealed in (("code", bytes(code.sealed)), ("url", bytes(code.redeem_url_sealed))):
        aad = _aad(code.release_id, code.slot, part)
        plain = vault.unseal(sealed, aad=aad, key=old_key) if sealed else b""
        envelopes.append(vault.seal(plain, aad=aad, key=key, version=number) if plain else b"")
    return code.pk, envelopes[0], envelopes[1]


def market_zone(benefit: Benefit) -> ZoneInfo:
    """The zone in which the benefit's days are counted: its first wallet's."""
    wallets = Wallet.objects.filter(code__in=benefit.wallets) if benefit.wallets else Wallet.objects
    name = wallets.order_by("sort_weight", "code").values_list("time_zone", flat=True).first()
    return ZoneInfo(name or "UTC")


def end_of_sale(*, expires_on: date, life_days: int, zone: ZoneInfo) -> datetime:
    """The last instant at which a member still gets `life_days` whole days of the code's life."""
    last = datetime.combine(expires_on + timedelta(days=1), time(), tzinfo=zone)
    return last - timedelta(days=life_days)


def publish_codes(*, release: Release, actor: str, now: datetime) -> int:
    """Put every loaded code of the release that is not yet on sale on sale. Returns how many.

    Safe to repeat: what is on sale already is left alone. A killed import is finished by this.
    """
    with transaction.atomic():
        locked = Release.objects.select_for_update(no_key=True).get(pk=release.pk)
        was = locked.stock
        zone = market_zone(locked.benefit)
        with connection.cursor() as cursor:
            # Slots of one batch that follow each other: their distance to their rank is the same.
            cursor.execute(
                "SELECT batch_id, min(slot), max(slot) FROM ("
                "  SELECT batch_id, slot,"
                "         slot - row_number() OVER (PARTITION BY batch_id ORDER BY slot) AS island"
                "  FROM benefits_code WHERE release_id = %s AND slot > %s"
                ") run GROUP BY batch_id, island ORDER BY min(slot)",
                [locked.pk, locked.last_slot],
            )
            runs = cursor.fetchall()
        batches = CodeBatch.objects.in_bulk([batch_id for batch_id, _, _ in runs])
        for batch_id, first, last in runs:
            batch = batches[batch_id]
            sells_until = None
            if batch.expires_on is not None:
                sells_until = end_of_sale(
                    expires_on=batch.expires_on, life_days=batch.life_days_min, zone=zone
                )
            append_ranges(release=locked, first=first, last=last, sells_until=sells_until)
        if runs:
            record_stock(locked, actor=actor, now=now, was=was, cause="codes")
    return locked.stock - was
