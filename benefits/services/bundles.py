"""What only bundles do: everything of one at once, and another choice while none was seen."""

from datetime import datetime
from uuid import UUID

from django.db import OperationalError, transaction

from benefits import claim_sql, errors, queries
from benefits.models import Bundle, Claim, Gift, Release
from benefits.models.release import Fulfilment
from benefits.services.claims import claim_benefit
from benefits.services.moves import lock_claim, move_claim
from benefits.services.returns import give_credits_back, undo_end, worth_of
from zone.core.clock import database_now
from zone.core.errors import NotFound, Unavailable
from zone.members.models import Member

State = Claim.State
_DEADLOCK = "40P01"


def claim_bundle(
    *, member: Member, bundle: Bundle, op_id: UUID, now: datetime, price: int | None = None
) -> list[Claim]:
    """Every benefit of a bundle, or none: one commit for all of them.

    Each claim's operation is worked out from `op_id`, so that a retry finds its first answer.

    Raises what a claim of any one of them would, PriceChanged when `price` is given and is not
    what they cost together, NotFound for a bundle that is not to be had as a whole.
    """
    if bundle.kind != Bundle.Kind.ALL or not bundle.is_active:
        raise NotFound()
    if queries.find_claim(member=member, op_id=_op_of(op_id, 0)):
        return _claims_of(member, op_id)
    benefits = [item.benefit for item in bundle.items.select_related("benefit")]
    with transaction.atomic():
        made = []
        for number, benefit in enumerate(benefits):
            release = queries.find_open_release(benefit, now=now)
            if release is None:
                raise errors.SoldOut()
            made.append(
                claim_benefit(
                    member=member,
                    release=release,
                    op_id=_op_of(op_id, number),
                    now=now,
                    bundle=bundle,
                )
            )
        if price is not None and sum(claim.price_credits for claim in made) != price:
            raise errors.PriceChanged()
    return made


def _op_of(op_id: UUID, number: int) -> UUID:
    """The operation of the bundle's benefit at this place; another bit pattern for each."""
    return UUID(int=op_id.int ^ number)


def _claims_of(member: Member, op_id: UUID) -> list[Claim]:
    ops = [_op_of(op_id, number) for number in range(Bundle.ITEMS_MAX)]
    return list(Claim.objects.filter(member=member, op_id__in=ops).order_by("pk"))


def change_choice(
    *, claim: Claim, release: Release, op_id: UUID, now: datetime, price: int | None = None
) -> Claim:
    """Another benefit of the same choice instead: the first goes back whole, in the same commit.

    What the first one cost comes back in full, for nobody has seen it. When the other cannot be
    had, the first one stays as it was. Safe to repeat: the same operation is the same claim.

    Raises ChoiceIsFinal once the first was seen, used, sent or has ended, or when it would have
    to be taken back at a provider; what a claim of the other would; NotFound when no choice
    holds both.
    """
    member = claim.member
    if first := queries.find_claim(member=member, op_id=op_id):
        return first
    if not queries.share_a_choice(claim.benefit_id, release.benefit_id):
        raise NotFound()
    try:
        with transaction.atomic():
            # As a claim does: the bundles before the account, or two changes could wait in a ring.
            claim_sql.lock_bundles(benefit_id=release.benefit_id, member_id=member.pk)
            undo_until = _put_back(claim, member=member, now=now, instead=release)
            made = claim_benefit(
                member=member, release=release, op_id=op_id, now=database_now(), price=price
            )
            made.undo_until = undo_until
            made.save(update_fields=["undo_until"])
            return made
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _DEADLOCK:
            raise Unavailable() from error
        raise


def is_changeable(claim: Claim, *, now: datetime) -> bool:
    """Whether the claim may still be given for another of its choice."""
    return (
        claim.state_at(now) == State.GRANTED
        and claim.mode == Fulfilment.CODES
        and claim.holds_slot
        and claim.frozen_at is None
        and claim.revealed_at is None
        and claim.counts_to_limit
        and not claim.redemptions.exists()
        # A gift is kept, given on or left: what it cost was its giver's.
        and not Gift.objects.filter(received_claim=claim).exists()
    )


def _put_back(claim: Claim, *, member: Member, now: datetime, instead: Release) -> datetime:
    """The first one goes back whole; until when it could have been undone."""
    locked = lock_claim(claim)
    if not is_changeable(locked, now=now) or locked.granted_at is None:
        raise errors.ChoiceIsFinal()
    worth = worth_of(locked)
    move_claim(
        locked,
        to=State.RETURNED,
        cause="change",
        actor=f"member:{member.public_id}",
        now=now,
        facts={"credits_back": worth, "instead": instead.public_id},
        ended_at=now,
    )
    give_credits_back(locked, amount=worth)
    claim_sql.let_go(claim_id=locked.pk, now=now)
    return undo_end(locked.granted_at, locked.undo_until)
