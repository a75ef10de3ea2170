"""Members from a wallet's list: those it already knows to be bound."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db import IntegrityError, transaction

from zone.core import clock, vault
from zone.members.models import Binding, Member, Wallet, WalletIdentity
from zone.members.services.identities import (
    IDENTITY_PURPOSE,
    find_member_ids_by_index,
    identity_index,
)

BATCH_ROWS = 1000
COLUMNS = ("wallet", "user_id", "storefront", "locale", "bound_at")
LANGUAGES = {"zh-hans": "zh-hans", "zh-cn": "zh-hans", "zh-hant": "zh-hant", "zh-hk": "zh-hant",
             "zh-tw": "zh-hant", "en": "en", "fil": "fil", "fil-ph": "fil", "tl": "fil"}  # fmt: skip
_USER_ID_LETTERS_MAX = 128
_RECHECK_SPREAD_MINUTES = 24 * 60


Key = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    wallet: Wallet
    user_id: str
    storefront: str
    language: str
    bound_at: datetime
    key: Key


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that was not taken, and why. `values` are as they came, to be corrected."""

    line: int
    reason: str
    values: dict[str, str]


@dataclass(slots=True)
class Report:
    rows: int = 0
    members_added: int = 0
    bindings_added: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)


class UnreadableFile(Exception):
    """The file is not a list of members at all."""


def import_members(lines: Iterable[str]) -> Report:
    """Every good row of a CSV is a member with an active binding since `bound_at`.

    Streams in batches, each its own transaction, so a kill in the middle loses nothing that was
    reported and a re-run adds what is missing. A row whose member is bound, or was unbound after
    `bound_at`, is known and changes nothing, as is a second row of the same user. Identities are left for the history room to link.

    Raises UnreadableFile when a column is missing.
    """
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        raise UnreadableFile(f"the first line must name the column {', '.join(missing)}")
    report = Report()
    wallets = {wallet.code: wallet for wallet in Wallet.objects.all()}
    now = clock.database_now()
    rows = _good_rows(reader, wallets, now, report)
    while batch := list(islice(rows, BATCH_ROWS)):
        _take(batch, now, report)
    return report


def _good_rows(
    reader: "csv.DictReader[str]", wallets: dict[str, Wallet], now: datetime, report: Report
) -> Iterator[Row]:
    for values in reader:
        report.rows += 1
        line = reader.line_num
        parsed = _parse(line, values, wallets, now)
        if isinstance(parsed, str):
            kept = {name: values.get(name) or "" for name in COLUMNS}
            report.faults.append(Fault(line, parsed, kept))
            continue
        yield parsed


def _parse(
    line: int, values: dict[str, str], wallets: dict[str, Wallet], now: datetime
) -> Row | str:
    """The row, or the name of the first fault in it."""
    if None in values or None in values.values():
        return "wrong_number_of_columns"
    wallet = wallets.get(values["wallet"].strip())
    if wallet is None:
        return "unknown_wallet"
    user_id = values["user_id"].strip()
    is_plain = user_id.isascii() and user_id.isprintable() and " " not in user_id
    if not user_id or not is_plain or len(user_id) > _USER_ID_LETTERS_MAX:
        return "bad_user_id"
    storefront = values["storefront"].strip()
    if storefront != wallet.storefront:
        return "storefront_of_another_country"
    language = LANGUAGES.get(values["locale"].strip().lower())
    if language is None:
        return "unknown_locale"
    try:
        bound_at = datetime.fromisoformat(values["bound_at"].strip())
    except ValueError:
        return "bad_bound_at"
    if bound_at.tzinfo is None:
        return "bound_at_without_zone"
    if bound_at > now:
        return "bound_at_in_the_future"
    key = (wallet.code, identity_index(wallet.code, user_id))
    return Row(line, wallet, user_id, storefront, language, bound_at, key)


def _take(batch: list[Row], now: datetime, report: Report) -> None:
    """One batch; once more when somebody signed in for the first time in the same moment."""
    first_of_each = list({row.key: row for row in reversed(batch)}.values())
    try:
        added, bound = _add_missing(first_of_each, now)
    except IntegrityError:
        added, bound = _add_missing(first_of_each, now)
    report.members_added += added
    report.bindings_added += bound
    report.known += len(batch) - bound


def _add_missing(rows: list[Row], now: datetime) -> tuple[int, int]:
    """One transaction: the members, identities and bindings that are not there yet."""
    with transaction.atomic():
        known = _find_known(rows)
        added = _add_members([row for row in rows if row.key not in known])
        known.update(added)
        bound = _add_bindings([(row, known[row.key]) for row in rows], set(added.values()), now)
    return len(added), bound


def _find_known(batch: list[Row]) -> dict[Key, int]:
    known: dict[Key, int] = {}
    for code in {row.wallet.code for row in batch}:
        indexes = [row.key[1] for row in batch if row.wallet.code == code]
        found = find_member_ids_by_index(wallet_code=code, indexes=indexes)
        known.update({(code, index): member_id for index, member_id in found.items()})
    return known


def _add_members(rows: list[Row]) -> dict[Key, int]:
    members = Member.objects.bulk_create(
        Member(
            wallet=row.wallet,
            language=row.language,
            storefront=row.storefront,
            time_zone=row.wallet.time_zone,
            joined_at=row.bound_at,
        )
        for row in rows
    )
    WalletIdentity.objects.bulk_create(
        WalletIdentity(
            member=member,
            wallet=row.wallet,
            value_index=row.key[1],
            value_sealed=vault.wrap(row.user_id.encode(), purpose=IDENTITY_PURPOSE),
            last_four=row.user_id[-4:],
        )
        for row, member in zip(rows, members, strict=True)
    )
    return {row.key: member.pk for row, member in zip(rows, members, strict=True)}


def _add_bindings(rows: list[tuple[Row, int]], new_ids: set[int], now: datetime) -> int:
    """Bindings for rows whose member has none that is open or ended later than `bound_at`."""
    old_ids = [member_id for _, member_id in rows if member_id not in new_ids]
    is_settled: set[int] = set()
    newest_end: dict[int, datetime] = {}
    for member_id, status, ended_at in Binding.objects.filter(member_id__in=old_ids).values_list(
        "member_id", "status", "unbound_at"
    ):
        if status in Binding.OPEN_STATUSES:
            is_settled.add(member_id)
        elif ended_at is not None:
            newest_end[member_id] = max(ended_at, newest_end.get(member_id, ended_at))
    wanted = [
        (row, member_id)
        for row, member_id in rows
        if member_id not in is_settled
        and not (member_id in newest_end and newest_end[member_id] >= row.bound_at)
    ]
    Binding.objects.bulk_create(
        Binding(
            member_id=member_id,
            storefront=row.storefront,
            status=Binding.Status.ACTIVE,
            settled_status=Binding.Status.ACTIVE,  # Linked long ago: nobody has to act upon it.
            status_occurred_at=row.bound_at,
            bound_at=row.bound_at,
            # Spread over a day, so that a large list does not come due in one minute.
            next_query_at=now + timedelta(days=7, minutes=row.line % _RECHECK_SPREAD_MINUTES),
        )
        for row, member_id in wanted
    )
    return len(wanted)
