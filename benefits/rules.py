"""Who may claim what, and why not: the same answer for a page's card and for the claim itself."""

from dataclasses import dataclass
from datetime import datetime

from benefits import errors
from benefits.models import Benefit, FairDraw, Release
from zone.core.errors import NotFound, ZoneError
from zone.members.models import Binding, Member
from zone.members.queries import find_open_binding


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What the rules look at, read once per request."""

    member_id: int
    status: str
    wallet_code: str
    storefront: str
    time_zone: str
    is_adult: bool
    is_bound: bool
    livemode: bool


def facts_of(member: Member, *, now: datetime) -> MemberFacts:
    """The member as the rules see them: one read, of the open binding."""
    return facts_with(member, find_open_binding(member), now=now)


def facts_with(member: Member, binding: Binding | None, *, now: datetime) -> MemberFacts:
    """The same with the open binding that was read already.

    The binding's storefront counts before the wallet's: codes work on the Apple account's own.
    """
    is_bound = (
        binding is not None
        and binding.is_bound
        and (binding.valid_until is None or binding.valid_until > now)
    )
    return MemberFacts(
        member_id=member.pk,
        status=Member.Status.SUSPENDED if member.is_frozen else member.status,
        wallet_code=member.wallet_id,
        storefront=binding.storefront if binding is not None and is_bound else member.storefront,
        time_zone=member.time_zone,
        is_adult=member.is_adult,
        is_bound=is_bound,
        livemode=member.wallet.livemode,
    )


def find_window_refusal(
    *, benefit: Benefit, release: Release | None, now: datetime
) -> ZoneError | None:
    """Why the benefit cannot be claimed by anyone at `now`, or None."""
    if benefit.status not in Benefit.SHOWN_STATUSES or benefit.visible_from > now:
        return errors.Ended() if benefit.status == Benefit.Status.ENDED else NotFound()
    if benefit.claimable_until is not None and benefit.claimable_until <= now:
        return errors.Ended()
    if release is not None and release.closes_at is not None and release.closes_at <= now:
        return errors.Ended()
    starts = [benefit.claimable_from, release.opens_at if release is not None else None]
    opens_at = max((start for start in starts if start is not None), default=None)
    if opens_at is not None and opens_at > now:
        return errors.NotStarted(opens_at=opens_at)
    if benefit.status == Benefit.Status.PAUSED:
        return errors.Paused()
    return None


def find_entry_refusal(draw: FairDraw | None, *, now: datetime) -> ZoneError | None:
    """Why nobody can have a ticket of the draw at `now`, or None: a ticket is an entry."""
    if draw is None or draw.entry_by != FairDraw.EntryBy.TICKET or draw.is_vain_at(now):
        return errors.EntriesClosed()
    phase = draw.phase_at(now)
    if phase == "coming":
        return errors.NotStarted(opens_at=draw.entries_open_at)
    if phase != "open":
        return errors.EntriesClosed()
    return None


def find_hours_refusal(
    *, is_timed: bool, is_open: bool, opens_next_at: datetime | None
) -> ZoneError | None:
    """Why a benefit that keeps hours cannot be claimed now, or None."""
    if not is_timed or is_open:
        return None
    return errors.NotStarted(opens_at=opens_next_at) if opens_next_at else errors.Ended()


def find_member_refusal(*, benefit: Benefit, facts: MemberFacts) -> ZoneError | None:
    """Why this member cannot have the benefit, the nearest remedy first, or None."""
    if benefit.livemode != facts.livemode:
        return NotFound()
    if facts.status in (Member.Status.ERASING, Member.Status.ERASED):
        return errors.MemberErased()
    if facts.status != Member.Status.ACTIVE:
        return errors.MemberSuspended()
    if benefit.wallets and facts.wallet_code not in benefit.wallets:
        return errors.WrongWallet()
    if benefit.requires_adult and not facts.is_adult:
        return errors.AdultsOnly()
    if benefit.requires_binding and not facts.is_bound:
        return errors.BindingRequired()
    if benefit.storefronts and facts.storefront not in benefit.storefronts:
        return errors.WrongStorefront()
    return None


def find_credits_refusal(*, price: int, available: int) -> ZoneError | None:
    """The gap in words a member can act on, or None."""
    if price > available:
        return errors.NotEnoughCredits(gap=price - available, available=available)
    return None
