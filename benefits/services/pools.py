"""Codes in hand: sealed when they come, on sale in ranges, opened by one verb alone."""

import re
import unicodedata
from calendar import monthrange
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BinaryField, F, Func, QuerySet, Value

from benefits import readable
from benefits.errors import CodesExpired, CodesLiveTooLong
from benefits.models import Benefit, Code, CodeBatch, Release
from benefits.sealed import OpenCode, SealedCode
from benefits.services.stock import append_ranges, record_stock
from zone.core import vault
from zone.members.models import Wallet

KEY_PURPOSE = "benefits-code-batch"
_CODE_FORM = re.compile(r"[A-Z0-9]{8,32}")
LAST_LETTERS = 4
URL_LETTERS_MAX = 500
# What Apple hands out as offer codes, whatever the campaign calls it.
APPLE_CODE_KINDS = {"app_store_coupon", "offer_code"}


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


def readings(typed: str) -> list[str]:
    """What somebody who typed this may have meant: the code as it stands, or one of ours that a
    sign was mistaken in for its look-alike."""
    code = normalise(typed)
    return list(dict.fromkeys([code, readable.as_typed(code)]))


def find_url_fault(url: str) -> str:
    """`missing_url`, `foreign_host` (not https on a host we redeem at), or nothing."""
    if not url:
        return "missing_url"
    # Everything up to the first question mark decides, and is the same for a whole file.
    is_ours = _is_ours(url.partition("?")[0], tuple(settings.REDEEM_HOSTS))
    return "" if is_ours and len(url) <= URL_LETTERS_MAX else "foreign_host"


@lru_cache(maxsize=1_000)
def _is_ours(address: str, hosts: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(address)
        return (
            parts.scheme == "https"
            and parts.hostname in hosts
            and parts.port in (None, 443)
            and not parts.username
        )
    except ValueError:
        return False


def index_of(code: str, *, livemode: bool) -> bytes:
    """The keyed hash under which a code is known in the whole installation."""
    return vault.blind_index(_index_purpose(livemode), code)


def indexer(*, livemode: bool) -> vault.BlindIndexer:
    """`index_of` for many codes."""
    return vault.BlindIndexer(_index_purpose(livemode))


def _index_purpose(livemode: bool) -> str:
    return "coupon-code-live" if livemode else "coupon-code-test"


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


def aad(release_id: int, slot: int, part: str) -> bytes:
    """What ties an envelope to its row: moved to another slot, it does not open."""
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
            aad=aad(release.pk, slot, "code"),
            key=key,
            version=batch.key_number,
        ),
        redeem_url_sealed=vault.seal(
            url, aad=aad(release.pk, slot, "url"), key=key, version=batch.key_number
        )
        if url
        else b"",
        code_index=index,
        last_four=plain.code[-LAST_LETTERS:],
        expires_on=batch.expires_on,
    )


def open_code(code: Code) -> OpenCode:
    """The code in clear. Raises VaultError when a single bit, the row or the key is not its own."""
    batch = code.batch
    return open_sealed(
        SealedCode(
            code.release_id,
            code.slot,
            bytes(code.sealed),
            bytes(code.redeem_url_sealed),
            batch.key_number,
            batch.key_sealed,
            batch.old_key_sealed,
        )
    )


def open_sealed(code: SealedCode) -> OpenCode:
    """`open_code` for whoever read no model. Raises VaultError as it does."""
    is_new = code.sealed[:1] == bytes([code.key_number])
    wrapped = code.key_sealed if is_new else code.old_key_sealed
    key = vault.unwrap(bytes(wrapped or b""), purpose=KEY_PURPOSE)
    slot = (code.release_id, code.slot)
    plain = vault.unseal(code.sealed, aad=aad(*slot, "code"), key=key)
    url = code.redeem_url_sealed
    return OpenCode(
        code=plain.decode(),
        redeem_url=vault.unseal(url, aad=aad(*slot, "url"), key=key).decode() if url else "",
    )


def reseal(code: Code, *, old_key: bytes, key: bytes, number: int) -> tuple[int, bytes, bytes]:
    """A code's key and its two envelopes under the new data key. Raises VaultError."""
    envelopes = []
    for part, sealed in (("code", bytes(code.sealed)), ("url", bytes(code.redeem_url_sealed))):
        bound = aad(code.release_id, code.slot, part)
        plain = vault.unseal(sealed, aad=bound, key=old_key) if sealed else b""
        envelopes.append(vault.seal(plain, aad=bound, key=key, version=number) if plain else b"")
    return code.pk, envelopes[0], envelopes[1]


def market_zone(benefit: Benefit) -> ZoneInfo:
    """The zone in which the benefit's days are counted: its first wallet's."""
    wallets = Wallet.objects.filter(code__in=benefit.wallets) if benefit.wallets else Wallet.objects
    name = wallets.order_by("sort_weight", "code").values_list("time_zone", flat=True).first()
    return ZoneInfo(name or "UTC")


def end_of_sale(*, expires_on: date, life_days: int, zone: ZoneInfo) -> datetime:
    """The last instant at which a member still gets `life_days` whole days of the code's life.

    Days before it can be used are none of those that are promised: callers add them.
    """
    last = datetime.combine(expires_on + timedelta(days=1), time(), tzinfo=zone)
    return last - timedelta(days=life_days)


def find_end_fault(
    day: date, *, benefit: Benefit, life_days: int, zone: ZoneInfo, now: datetime
) -> str:
    """`expired` (too late to promise its use), `too_long` (Apple gives no code such a life), or nothing.

    A one-time offer code ends at most six months after it was made:
    https://developer.apple.com/help/app-store-connect/manage-subscriptions/set-up-subscription-offer-codes/
    """
    life_days += benefit.usable_after_days or 0
    if end_of_sale(expires_on=day, life_days=life_days, zone=zone) <= now:
        return "expired"
    if benefit.kind in APPLE_CODE_KINDS and day > last_day_of_new_codes(
        now.astimezone(zone).date()
    ):
        return "too_long"
    return ""


def last_day_of_new_codes(today: date) -> date:
    """Six calendar months from today: the same day, or the last one of a shorter month."""
    year, month = today.year + (today.month + 5) // 12, (today.month + 5) % 12 + 1
    return date(year, month, min(today.day, monthrange(year, month)[1]))


def refuse_end(day: date | None, *, release: Release, life_days: int, now: datetime) -> None:
    """Raises CodesExpired or CodesLiveTooLong for the end of a whole file."""
    if day is None:
        return
    benefit = release.benefit
    fault = find_end_fault(
        day, benefit=benefit, life_days=life_days, zone=market_zone(benefit), now=now
    )
    if fault:
        refusal = CodesExpired if fault == "expired" else CodesLiveTooLong
        raise refusal(expires_on=day.isoformat())


def sells_until(batch: CodeBatch) -> datetime | None:
    """When the codes of a batch leave the sale; None for codes without an end."""
    if batch.expires_on is None:
        return None
    return end_of_sale(
        expires_on=batch.expires_on,
        life_days=batch.life_days_min + (batch.release.benefit.usable_after_days or 0),
        zone=market_zone(batch.release.benefit),
    )


def publish_codes(*, release: Release, actor: str, now: datetime, cause: str = "codes") -> int:
    """Put every loaded code of the release that is not yet on sale on sale. Returns how many.

    Batches that are kept for something stay where they are.

    Safe to repeat: what is on sale already is left alone. A killed import is finished by this.
    """
    with transaction.atomic():
        locked = Release.objects.select_for_update(no_key=True).get(pk=release.pk)
        was = locked.stock
        with connection.cursor() as cursor:
            # Slots of one batch that follow each other: their distance to their rank is the same.
            cursor.execute(
                """
                SELECT batch_id, min(slot), max(slot) FROM (
                    SELECT batch.id AS batch_id, code.slot,
                           code.slot - row_number() OVER (PARTITION BY batch.id ORDER BY code.slot)
                               AS island
                    FROM benefits_codebatch batch
                    JOIN benefits_code code
                      ON code.batch_id = batch.id AND code.slot > batch.published_slot
                    WHERE batch.release_id = %s AND batch.kept_for = ''
                ) run GROUP BY batch_id, island ORDER BY min(slot)
                """,
                [locked.pk],
            )
            runs = cursor.fetchall()
        batches = CodeBatch.objects.in_bulk([batch_id for batch_id, _, _ in runs])
        for batch_id, first, last in runs:
            batch = batches[batch_id]
            append_ranges(release=locked, first=first, last=last, sells_until=sells_until(batch))
            batch.published_slot = last
            batch.save(update_fields=["published_slot"])
        if runs:
            record_stock(locked, actor=actor, now=now, was=was, cause=cause)
    return locked.stock - was
