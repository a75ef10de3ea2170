"""A member's transactions: charges and refunds in one list, newest first.

Both are keyed by a UUIDv7 of the moment the money moved, so the key alone orders the list and
pages it, and a month is a range of keys.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from zone.core.money import EXPONENT
from zone.history.models import Charge, ChargeLine, Refund
from zone.history.naming import BRANDS
from zone.members.models import Member

PAGE_ROWS = 30
KINDS = ("app", "subscription", "refund")


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What the address asks for. An empty part does not narrow."""

    kind: str = ""
    text: str = ""
    month: date | None = None  # its first day


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the list: a charge, or a refund with the charge it belongs to."""

    charge: Charge | None
    refund: Refund | None
    lines: tuple[ChargeLine, ...]

    @property
    def id(self) -> UUID:
        return self._row.id

    @property
    def _row(self) -> Charge | Refund:
        row = self.refund or self.charge
        if row is None:
            raise ValueError("an entry is a charge or a refund")
        return row

    @property
    def public_id(self) -> str:
        return self._row.public_id

    @property
    def at(self) -> datetime:
        return self.refund.refunded_at if self.refund else self.charge.paid_at  # type: ignore[union-attr]

    @property
    def amount(self) -> int:
        return self._row.amount

    @property
    def currency(self) -> str:
        return self._row.currency

    @property
    def first_line(self) -> ChargeLine | None:
        return self.lines[0] if self.lines else None

    @property
    def service(self) -> str:
        return self.lines[0].service if self.lines else "other"

    @property
    def more_count(self) -> int:
        return max(0, len(self.lines) - 1)


def first_id(moment: datetime) -> UUID:
    """The smallest UUIDv7 of an instant: keys of that instant and later are not below it."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def next_month(month: date) -> date:
    return shift_month(month, 1)


def shift_month(month: date, step: int) -> date:
    """The first day of the month `step` months from `month`'s."""
    number = month.year * 12 + month.month - 1 + step
    return date(number // 12, number % 12 + 1, 1)


def month_start(month: date, zone: ZoneInfo) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=zone)


def list_activity(
    member: Member, wanted: ActivityFilter, *, before: UUID | None = None, limit: int = PAGE_ROWS
) -> list[Entry]:
    """At most `limit` transactions older than `before`. Four queries at most, whatever the size."""
    charges: list[Charge] = []
    if wanted.kind != "refund":
        found = _narrowed(Charge.objects.filter(member=member), wanted, member, before)
        if wanted.kind == "app":
            found = found.filter(app_amount__gt=0)
        elif wanted.kind == "subscription":
            found = found.filter(subscription_amount__gt=0)
        if wanted.text:
            found = found.filter(_says(wanted.text, member.wallet.currency, "id"))
        charges = list(found.order_by("-id")[:limit])
    refunds: list[Refund] = []
    if wanted.kind in ("", "refund"):
        back = Refund.objects.filter(member=member).exclude(state=Refund.State.REFUSED)
        back = _narrowed(back, wanted, member, before).select_related("charge")
        if wanted.text:
            back = back.filter(_says(wanted.text, member.wallet.currency, "charge_id"))
        refunds = list(back.order_by("-id")[:limit])
    lines = _lines_of(charges, refunds)
    entries = [Entry(charge, None, lines.get(charge.id, ())) for charge in charges]
    entries += [Entry(refund.charge, refund, lines.get(refund.charge_id, ())) for refund in refunds]
    entries.sort(key=lambda entry: entry.id, reverse=True)
    return entries[:limit]


def iterate_activity(member: Member, wanted: ActivityFilter, chunk: int = 500) -> Iterator[Entry]:
    """Every transaction of the filter, newest first, a chunk at a time."""
    before = None
    while entries := list_activity(member, wanted, before=before, limit=chunk):
        yield from entries
        before = entries[-1].id


def _narrowed(
    rows: QuerySet, wanted: ActivityFilter, member: Member, before: UUID | None
) -> QuerySet:
    if before:
        rows = rows.filter(id__lt=before)
    if wanted.month:
        zone = ZoneInfo(member.time_zone)
        rows = rows.filter(
            id__gte=first_id(month_start(wanted.month, zone)),
            id__lt=first_id(month_start(next_month(wanted.month), zone)),
        )
    return rows


def _says(text: str, currency: str, charge_key: str) -> Q:
    """Rows that mention `text`: a title, a service, a transaction or order number, an amount."""
    word = text.casefold()
    services = [service for service, brand in BRANDS.items() if word in brand.casefold()]
    line = Q(title__icontains=text) | Q(service__in=services)
    # "iCloud+ 200 GB" on the page is "200GB" in the wallet's words.
    if tight := "".join(text.split()):
        line |= Q(title__icontains=tight)
    for service, brand in BRANDS.items():
        rest = (
            word.removeprefix(brand.casefold()).strip() if word.startswith(brand.casefold()) else ""
        )
        if rest:
            line |= Q(service=service, title__icontains="".join(rest.split()))
    lines = ChargeLine.objects.filter(line, charge_id=OuterRef(charge_key))
    says = Exists(lines) | Q(bill_no__icontains=text)
    if charge_key == "id":
        says |= Q(order_no__icontains=text) | Q(merchant_name__icontains=text)
    amount = _amount(text, currency)
    return says | Q(amount=amount) if amount is not None else says


def _amount(text: str, currency: str) -> int | None:
    """The minor units that somebody typing "68", "68.0" or "¥1,068.50" means."""
    exponent = EXPONENT[currency]
    bare = re.sub(r"[^\d.]", "", text) if re.fullmatch(r"\D{0,4}[\d,]+(\.\d+)?", text) else ""
    whole, _, rest = bare.partition(".")
    if not whole.isascii() or not 0 < len(whole) <= 12 or len(rest) > exponent:
        return None
    return int(whole) * 10**exponent + int(rest.ljust(exponent, "0") or 0)


def _lines_of(
    charges: list[Charge], refunds: list[Refund]
) -> dict[UUID | None, tuple[ChargeLine, ...]]:
    ids = {charge.id for charge in charges} | {
        refund.charge_id for refund in refunds if refund.charge_id
    }
    lines: dict[UUID | None, tuple[ChargeLine, ...]] = {}
    if ids:
        for line in ChargeLine.objects.filter(charge_id__in=ids).order_by("charge_id", "line_no"):
            lines[line.charge_id] = (*lines.get(line.charge_id, ()), line)
    return lines


def find_entry(member: Member, entry_id: UUID) -> Entry | None:
    """The member's own charge or refund of that key."""
    charge = Charge.objects.filter(member=member, id=entry_id).first()
    refund = None
    if charge is None:
        refund = Refund.objects.filter(member=member, id=entry_id).select_related("charge").first()
        if refund is None:
            return None
        charge = refund.charge
    lines = _lines_of([charge] if charge else [], [])
    return Entry(charge, refund, lines.get(charge.id, ()) if charge else ())
