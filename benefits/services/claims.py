"""Claiming: the one verb behind the page, the partner API, the console and every worker."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from benefits import claim_sql, errors, queries, rules
from benefits.gate import gate
from benefits.models import Bundle, Claim, Code, Release
from benefits.models.kinds import CREDIT_PACK, DRAW_TICKET
from benefits.queries.draws import find_ticket_refusal
from credits.errors import OperationConflict
from credits.kinds import Counter
from credits.queries.tiers import list_reached_tiers
from zone.core.errors import NotFound, Unavailable, ZoneError
from zone.core.ids import new_public_id
from zone.core.nudge import nudge
from zone.members.models import Member
from zone.members.queries import find_open_binding

# Answers that come as an error, without a row beside them.
_RAISED = {"conflict", "sold_out", "pack_refused", "quota_full", "budget_exhausted", "busy"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """A claim, and the sealed code of one that was made to be shown at once."""

    claim: Claim
    sealed: Code | None = None


def claim_benefit(
    *, member: Member, release: Release, op_id: UUID, now: datetime, **how: Any
) -> Claim:
    """Give a member the next unit of a release.

    One transaction: slot, claim row, credits and event move together or not at all. With a code
    in hand the claim is granted at commit; with a provider it is reserved, its price is held, and
    the grant worker finds it. Safe to repeat: the same member and op_id return the first claim.
    `how` is `make_claim`'s.

    Raises NotEligible and its kinds, NotStarted, Ended, Paused, LimitReached, AlreadyChosen, SoldOut,
    NotEnoughCredits, QuotaReached, SliceSoldOut, Busy, BudgetExhausted, PriceChanged when `price` is
    given and is not this member's, MemberSuspended, MemberErased, NotFound; Unavailable when the
    ledger cannot answer. After any of them nothing has changed.
    """
    standing = queries.read_standing(
        member=member, release_public_id=release.public_id, op_id=op_id
    )
    if standing is None:
        raise NotFound()
    return make_claim(
        member=member, release=release, standing=standing, op_id=op_id, now=now, **how
    ).claim


def make_claim(
    *,
    member: Member,
    release: Release,
    standing: queries.Standing,
    op_id: UUID,
    now: datetime,
    actor: str = "",
    pays_with_credits: bool = True,
    partner_id: int | None = None,
    external_id: str | None = None,
    metadata: dict[str, str] | None = None,
    price: int | None = None,
    reveals: bool = False,
    is_for_stamps: bool = False,
    bundle: Bundle | None = None,
) -> Made:
    """`claim_benefit` for a door that has read where the member stands: one more round trip.

    With `reveals` a code in hand is shown by the commit that grants it. `bundle` is the one it is
    claimed as a part of: some benefits are not to be had by themselves.
    """
    if standing.made_id is not None and (first := queries.find_claim(member=member, op_id=op_id)):
        _refuse_another_request(first, release=release, price=price)
        return Made(first)  # A retry gets its first answer, whatever has changed since.
    if release.is_hot:
        _pass_gate(member=member, release=release, now=now)
    refuse_unless_eligible(
        member=member,
        release=release,
        standing=standing,
        now=now,
        pays_with_credits=pays_with_credits,
        bundle=bundle,
    )
    if release.benefit.only_for_stamps and not is_for_stamps:
        raise errors.StampsNeeded()
    if release.benefit.kind == CREDIT_PACK and release.price_credits:
        raise errors.ClosedLoop()  # The database refuses such a price; nobody pays it anyway.
    take = partial(
        claim_sql.take,
        member_id=member.pk,
        release_id=release.pk,
        op_id=op_id,
        public_id=new_public_id("clm"),
        actor=actor or f"member:{member.public_id}",
        counter=Counter.BENEFITS,
        pack_counter=Counter.CAMPAIGNS,
        partner_id=partner_id,
        external_id=external_id,
        metadata=metadata,
        price=price,
        reveals=reveals,
    )
    taken = take()
    if taken.code == "tier_needed":
        taken = take(tiers=list_reached_tiers(member))
    # A refusal that was raised took the answer with it: another try of this operation may be first.
    claim = taken.claim or (
        queries.find_claim(member=member, op_id=op_id) if taken.code in _RAISED else None
    )
    if claim is None:
        if taken.code == "sold_out" and release.is_hot and not queries.has_offers(release):
            gate.note_sold_out(release.pk)
        raise _refusal_of(taken, member=member, release=release, now=now)
    _refuse_another_request(claim, release=release, price=price)
    claim.member, claim.release, claim.benefit = member, release, release.benefit
    if claim.is_waiting_for_provider:
        nudge("benefits.tasks.drain_grants")  # A lost nudge costs seconds: the drain finds the row.
    return Made(claim, taken.sealed)


def claim_paid(
    *, member: Member, release: Release, op_id: UUID, price: int, actor: str, now: datetime
) -> Claim:
    """A unit of a release for a member for whom others have paid `price` in this transaction.

    Only a code in hand. Raises what `claim_benefit` raises, the credits' refusals apart.
    """
    take = partial(
        claim_sql.take_paid,
        member_id=member.pk,
        release_id=release.pk,
        op_id=op_id,
        public_id=new_public_id("clm"),
        actor=actor,
        price=price,
    )
    taken = take()
    if taken.code == "tier_needed":
        taken = take(tiers=list_reached_tiers(member))
    if taken.claim_id is None or taken.code != "ok":
        raise _refusal_of(taken, member=member, release=release, now=now)
    return Claim.objects.select_related("benefit", "member").get(pk=taken.claim_id)


def _refuse_another_request(first: Claim, *, release: Release, price: int | None) -> None:
    """Raises OperationReused when what an operation made is not what it is sent for now.

    Another release of the same benefit is the same request: a door that names the benefit may find
    the next one open by the time it asks again.
    """
    is_same = first.benefit_id == release.benefit_id
    if not is_same or (price is not None and price != first.price_credits):
        raise errors.OperationReused()


def _pass_gate(*, member: Member, release: Release, now: datetime) -> None:
    """Raises Busy while a rush is served; SoldOut only when the database says or just said so."""
    if gate.is_sold_out(release.pk):
        raise errors.SoldOut()
    try:
        gate.admit(release_id=release.pk, stock=release.stock, visitor=str(member.pk))
    except errors.Busy:
        if claim_sql.has_slot(release_id=release.pk, member_id=member.pk, now=now):
            raise
        if not queries.has_offers(release):
            gate.note_sold_out(release.pk)
        raise errors.SoldOut() from None


def refuse_unless_eligible(
    *,
    member: Member,
    release: Release,
    now: datetime,
    standing: queries.Standing | None = None,
    pays_with_credits: bool = True,
    bundle: Bundle | None = None,
) -> None:
    """Raises the first rule's refusal. Stock, limit and credits are the database's to judge."""
    benefit = release.benefit
    binding = standing.binding if standing else find_open_binding(member)
    refusal: ZoneError | None = rules.find_member_refusal(
        benefit=benefit, facts=rules.facts_with(member, binding, now=now)
    ) or rules.find_window_refusal(benefit=benefit, release=release, now=now)
    if refusal is None:
        refusal = (
            queries.find_standing_refusal(
                member=member, benefit=benefit, standing=standing, within=bundle
            )
            if standing
            else queries.find_rule_refusal(member=member, benefit=benefit, now=now, within=bundle)
        )
    if refusal is None and benefit.kind == DRAW_TICKET:
        refusal = find_ticket_refusal(member=member, benefit=benefit, now=now)
    if refusal is None and not pays_with_credits:
        price = _terms_of(member, release, now=now).price_credits
        refusal = errors.PaymentRequired() if price else None
    if refusal is not None:
        raise refusal


def _refusal_of(
    taken: claim_sql.Taken, *, member: Member, release: Release, now: datetime
) -> ZoneError:
    """What the database said, in words."""
    match taken.code:
        case "not_found":
            return NotFound()
        case "not_started":
            return errors.NotStarted(opens_at=taken.opens_at)
        case "ended":
            return errors.Ended()
        case "paused":
            return errors.Paused()
        case "sold_out":
            return errors.SoldOut()
        case "draw_closed":
            return errors.EntriesClosed()
        case "drawn_only":
            return errors.DrawnOnly()
        case "limit_reached":
            return errors.LimitReached(limit=taken.allowed)
        case "conflict":
            # Not this operation's claim, so another one of this member took the last of the limit.
            return errors.LimitReached(limit=release.per_member)
        case "already_chosen":
            return (
                queries.find_choice_refusal(member=member, benefit=release.benefit, now=now)
                or Unavailable()
            )
        case "quota_full":
            # A limit that another claim filled an instant ago may be free again by now.
            return _terms_of(member, release, now=now).refusal or Unavailable()
        case "budget_exhausted":
            return errors.BudgetExhausted()
        case "price_changed":
            return errors.PriceChanged()
        case "ledger_refused":
            price = _terms_of(member, release, now=now).price_credits
            return _ledger_refusal(taken, price=price)
        case "busy":
            return Unavailable()
    log.error(
        "claim not possible",
        extra={"error_code": taken.code, "ledger": taken.ledger_code, "release": release.public_id},
    )
    return Unavailable()


def _terms_of(member: Member, release: Release, *, now: datetime) -> queries.Terms:
    chosen = [(release.benefit, release)]
    return queries.read_terms(member=member, chosen=chosen, now=now)[release.benefit_id]


def _ledger_refusal(taken: claim_sql.Taken, *, price: int) -> ZoneError:
    match taken.ledger_code:
        case "insufficient":
            available = taken.available or 0
            return errors.NotEnoughCredits(gap=max(price - available, 1), available=available)
        case "frozen" | "closed":
            return errors.MemberSuspended()
        case "conflict" | "replayed":
            # The id paid for something else: never for this claim, which would have been found.
            return OperationConflict()
    log.error("ledger refused a claim", extra={"error_code": taken.ledger_code})
    return Unavailable()
