"""Claims of a rush: everything about a member in the statement that claims."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from benefits.sealed import SealedCode
from credits.kinds import Counter
from zone.core.rows import array, bytes_array, fetch_row, fetch_rows
from zone.members.services.sessions import REFRESH_AFTER_SECONDS


@dataclass(frozen=True, slots=True)
class Seen:
    """A release as members saw it, and the positions that the rules let in there."""

    release_id: int
    version: str
    rule_id: int | None
    positions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Press:
    """One press of the button: by whom, and what it makes."""

    session_hash: bytes
    op_id: UUID
    public_id: str
    price: int


@dataclass(frozen=True, slots=True)
class Rushed:
    """What became of a press; see `rush.sql` for its codes."""

    code: str
    public_id: str
    position: str
    language: str
    country: str
    time_zone: str
    held_id: str | None  # what a limit counts that is reached
    # Of a claim that was made.
    price_credits: int
    valid_until: datetime | None
    valid_from: datetime | None  # when that is still to come
    sealed: SealedCode | None


_COLUMNS = """code, "position", language, country, time_zone, held_id, price_credits, valid_until,
    valid_from, slot, sealed, redeem_url_sealed, key_number, key_sealed, old_key_sealed"""
_REFRESH = f"interval '{REFRESH_AFTER_SECONDS} seconds'"
_RUSH = f"""
    SELECT {_COLUMNS}
    FROM benefits_rush_claim(
        %s::bytea, {_REFRESH}, %s::bigint, %s::text, %s::bigint, %s::text, %s::uuid, %s::text,
        {Counter.BENEFITS:d}::smallint, {Counter.CAMPAIGNS:d}::smallint, %s::integer)
"""  # noqa: S608
_RUSH_TOGETHER = f"""
    SELECT nth, {_COLUMNS}
    FROM benefits_rush_claims(
        {_REFRESH}, %s::bigint, %s::text, %s::bigint, %s::text, %s::bytea[], %s::uuid[],
        %s::text[], %s::integer[])
"""  # noqa: S608
_RUSH_AGAIN = f"""
    SELECT public_id, {_COLUMNS}
    FROM benefits_rush_again(
        %s::bytea, {_REFRESH}, %s::bigint, %s::text, %s::bigint, %s::uuid, %s::integer)
"""  # noqa: S608


def rush(seen: Seen, press: Press) -> Rushed | None:
    """`take` for the member behind a session, who stands where the rules let in; the code is shown.

    None when the session is not open as it is. Raises DatabaseError where `take` answers with a
    refusal that was raised: nothing has changed then.
    """
    row = fetch_row(
        _RUSH,
        [
            *(press.session_hash, seen.release_id, seen.version, seen.rule_id),
            *("\n".join(seen.positions), str(press.op_id), press.public_id, press.price),
        ],
    )
    return None if row is None else _build(seen, press, row)


def rush_together(seen: Seen, presses: Sequence[Press]) -> list[Rushed | None] | None:
    """`rush` for several at once, all in one commit; None in the place of who has to ask alone.

    None for all when the release is not plain, or not as it was seen. Raises DatabaseError: nothing
    has changed then for any of them.
    """
    rows = fetch_rows(
        _RUSH_TOGETHER,
        [
            *(seen.release_id, seen.version, seen.rule_id, "\n".join(seen.positions)),
            bytes_array(press.session_hash for press in presses),
            array(str(press.op_id) for press in presses),
            array(press.public_id for press in presses),
            array(str(press.price) for press in presses),
        ],
    )
    if not rows:
        return None
    told: list[Rushed | None] = [None] * len(presses)
    for nth, *row in rows:
        if nth > 0 and row[0] != "alone":
            told[nth - 1] = _build(seen, presses[nth - 1], row)
    return told


def rush_again(seen: Seen, press: Press) -> Rushed | None:
    """What the same press was told when it claimed, and that its code was shown once more.

    None when this press claimed nothing, or when anything has become of its claim or of the release
    since. Raises DatabaseError.
    """
    row = fetch_row(
        _RUSH_AGAIN,
        [
            *(press.session_hash, seen.release_id, seen.version, seen.rule_id),
            *(str(press.op_id), press.price),
        ],
    )
    return None if row is None else _build(seen, replace(press, public_id=row[0]), row[1:])


def _build(seen: Seen, press: Press, row: Sequence[Any]) -> Rushed:
    code, position, language, country, time_zone, held_id, paid, until, since, *sealed = row
    return Rushed(
        code=code,
        public_id=press.public_id,
        position=position,
        language=language,
        country=country,
        time_zone=time_zone,
        held_id=held_id,
        price_credits=paid,
        valid_until=until,
        valid_from=since,
        sealed=None if code != "ok" else SealedCode(seen.release_id, *sealed),
    )
