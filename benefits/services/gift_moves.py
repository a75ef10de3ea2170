"""What every verb of a gift shares: locks, links, a claim's frozen life, and telling both sides.

Lock order: the gift's row, then its claim's. Sending has no gift yet and starts with the giver's.
"""

import hashlib
import math
import secrets
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from benefits.models import Claim, Code, Gift, GroupGift
from benefits.services.group_returns import return_group
from benefits.services.moves import record_event
from zone.core import vault
from zone.notices.services import write_notice

_TOKEN_BYTES = 24  # 192 random bits.
_SEAL_PURPOSE = "benefits-gift-link"
_DAY = timedelta(days=1)
_UNCOUNTED = timedelta(hours=1)


def new_link() -> dict[str, bytes]:
    """The columns of a fresh link: its token's hash to find it by, and the token sealed."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return {
        "token_hash": hash_of(token),
        "token_sealed": vault.wrap(token.encode(), purpose=_SEAL_PURPOSE),
    }


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def read_token(gift: Gift | GroupGift) -> str:
    """The token, for its giver while the link leads on; empty once nobody needs it."""
    sealed = bytes(gift.token_sealed)
    return vault.unwrap(sealed, purpose=_SEAL_PURPOSE).decode() if sealed else ""


def lock_gift(gift: Gift) -> Gift:
    """The gift as it is now with its claim, both rows ours until the commit."""
    locked = (
        Gift.objects.select_for_update(no_key=True, of=("self",))
        .select_related("giver", "receiver")
        .get(pk=gift.pk)
    )
    locked.claim = (
        Claim.objects.select_for_update(no_key=True, of=("self",))
        .select_related("benefit", "member")
        .get(pk=locked.claim_id)
    )
    return locked


def find_hard_end(claim: Claim) -> datetime | None:
    """The instant after which no freezing helps: the benefit's own end, or its code's last day."""
    ends = [claim.benefit.usable_until]
    code_ends_on = (
        Code.objects.filter(release_id=claim.release_id, slot=claim.slot)
        .values_list("expires_on", flat=True)
        .first()
    )
    if code_ends_on is not None:
        zone = ZoneInfo(claim.member.time_zone)
        after = datetime.combine(code_ends_on + timedelta(days=1), time(), tzinfo=zone)
        ends.append(after - timedelta(milliseconds=1))
    return min((end for end in ends if end is not None), default=None)


def restored_end(gift: Gift, *, now: datetime) -> datetime | None:
    """The end of the claim when its life goes on at `now`: what was left of it is left of it.

    The end moves by whole days, so that it stays at the hour it was promised for: a day begun on
    the way is given in full, an hour on the way is not counted. A life shorter than a day goes on
    to the second. Never before the end it had, and never later than the code itself allows.
    """
    was = gift.claim_valid_until
    if was is None:
        return None
    life = was - gift.frozen_at
    on_the_way = now - gift.frozen_at - _UNCOUNTED
    end = was + max(math.ceil(on_the_way / _DAY), 0) * _DAY
    if end - now < min(life, _DAY):
        end = now + life
    hard_end = find_hard_end(gift.claim)
    return max(was, end if hard_end is None else min(end, hard_end))


def close_gift(gift: Gift, *, to: str, now: datetime, **changes: Any) -> None:
    """The gift is over. Its link leads nowhere any more; the hash stays so that it can say why."""
    Gift.objects.filter(pk=gift.pk, state=gift.state).update(
        state=to, next_attempt_at=None, closed_at=now, token_sealed=b"", **changes
    )
    gift.state = to
    gift.next_attempt_at = None
    gift.closed_at = now
    gift.token_sealed = b""
    for name, value in changes.items():
        setattr(gift, name, value)


def give_back(
    gift: Gift,
    *,
    to: str,
    cause: str,
    actor: str,
    now: datetime,
    valid_until: datetime | None,
    returns_parts: bool = True,
) -> bool:
    """The locked gift ends and its claim is wholly the giver's again, good until `valid_until`.

    What friends paid for together is nobody's: it ends, each payer gets back their share and is
    told, and the answer is False.
    """
    claim = gift.claim
    claim.frozen_at = None
    claim.valid_until = valid_until
    claim.updated_at = now
    claim.save(update_fields=["frozen_at", "valid_until", "updated_at"])
    record_gift_event(gift, cause=cause, actor=actor, now=now)
    close_gift(gift, to=to, now=now)
    if not returns_parts:
        return True
    return not return_group(claim, actor=actor, now=now)


def record_gift_event(gift: Gift, *, cause: str, actor: str, now: datetime) -> None:
    """A line on the giver's claim, which stands where it stood."""
    claim = gift.claim
    record_event(
        claim, was=claim.state, to=claim.state, cause=cause, actor=actor, now=now,
        facts={"gift": gift.public_id},
    )  # fmt: skip


def tell(gift: Gift, kind: str, *, member_id: int, link: str, now: datetime, **facts: Any) -> None:
    """A notice about the gift, once per kind and side, in this transaction."""
    write_notice(
        member_id=member_id,
        kind=kind,
        facts={
            "title": {text.language: text.title for text in gift.claim.benefit.texts.all()},
            "signed_by": gift.signed_by,
            "receiver_name": gift.receiver_name,
            **facts,
        },
        link=link,
        dedupe_key=f"{kind}:{gift.public_id}",
        at=now,
    )


def tell_giver(gift: Gift, kind: str, *, now: datetime, **facts: Any) -> None:
    tell(gift, kind, member_id=gift.giver_id, link=f"/gifts/{gift.public_id}", now=now, **facts)
