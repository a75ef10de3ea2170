"""What the pages of a gift with friends read."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from benefits import errors, queries
from benefits.models import BenefitTerms, FairDraw, GroupGift, GroupPart, Release
from benefits.models.kinds import CREDIT_PACK
from benefits.models.release import Fulfilment
from zone.core.errors import NotFound
from zone.members.models import Member

PAGE_ROWS_MAX = 50


@dataclass(frozen=True, slots=True)
class MyPart:
    """What one member has in a gift: held or taken, and what of it came back."""

    amount: int
    back: int


def _with_reading() -> QuerySet[GroupGift]:
    return GroupGift.objects.select_related(
        "starter__wallet", "release__benefit", "gift", "claim"
    ).prefetch_related("release__benefit__texts")


def get_by_token(token: str) -> GroupGift:
    """The gift a link leads to, whatever became of it. Raises NotFound."""
    group = _with_reading().filter(token_hash=hashlib.sha256(token.encode()).digest()).first()
    if group is None:
        raise NotFound()
    return group


def get_group(*, member: Member, public_id: str) -> GroupGift:
    """A gift that this member started or ever put something into. Raises NotFound."""
    mine = Q(starter=member) | Q(parts__member=member)
    group = _with_reading().filter(mine, public_id=public_id).first()
    if group is None:
        raise NotFound()
    return group


def list_groups(member: Member) -> list[GroupGift]:
    """What the member started or has a part in, newest first."""
    # Each by its own index: asked for both at once the database reads everybody's.
    started = GroupGift.objects.filter(starter=member).order_by("-id").values_list("pk", flat=True)
    theirs = GroupPart.objects.filter(member=member).exclude(state=GroupPart.State.RELEASED)
    joined = theirs.order_by("-group_id").values_list("group_id", flat=True).distinct()
    keys = {*started[:PAGE_ROWS_MAX], *joined[:PAGE_ROWS_MAX]}
    return list(_with_reading().filter(pk__in=keys).order_by("-id")[:PAGE_ROWS_MAX])


def list_groups_named(public_ids: Collection[str]) -> list[GroupGift]:
    names = [name for name in public_ids if name.startswith("ggf_")]
    return list(_with_reading().filter(public_id__in=names)) if names else []


def read_part(group: GroupGift, member: Member) -> MyPart:
    parts = GroupPart.objects.filter(group=group, member=member).exclude(
        state=GroupPart.State.RELEASED
    )
    rows = list(parts.values_list("amount", "refunded"))
    return MyPart(sum(amount for amount, _ in rows), sum(back for _, back in rows))


def list_names(group: GroupGift) -> list[str]:
    """How those who are in it sign, the first first; empty for one who does not. No sums."""
    parts = GroupPart.objects.filter(group=group).exclude(state=GroupPart.State.RELEASED)
    names: dict[int, str] = {}
    for member_id, name in parts.order_by("id").values_list("member_id", "signed_by"):
        names[member_id] = names.get(member_id) or name
    return list(names.values())


def find_startable(
    *, slug: str, member: Member, available: int, now: datetime, language: str
) -> queries.Card | None:
    """The benefit as its page shows it, when friends may pay for it together; else None.

    Raises NotFound for one that is not shown; of one that others may collect for, or that could be
    collected for at another time, why this member cannot now.
    """
    card = queries.get_card(
        slug=slug, member=member, available=available, now=now, language=language
    )
    if offers_group(card):
        return card
    release: Release | None = card.release
    if release is None or card.draw is not None or not _is_of_a_kind(release):
        return None
    if card.state == "owned":
        raise errors.LimitReached(limit=release.per_member)
    raise card.refusal or errors.SoldOut()


def offers_group(card: queries.Card) -> bool:
    """Whether the benefit's page offers it. Too few credits are no hindrance: that is what for.

    Reads nothing: what is drawn by lot has a state of its own on its card.
    """
    is_open = card.state == "claimable" or card.next_step == "earn"
    release: Release | None = card.release
    return is_open and card.price_credits > 1 and release is not None and _is_of_a_kind(release)


def may_be_grouped(release: Release) -> bool:
    """Whether friends may pay for it together: it has a price, its own code, and no rush.

    A unit of a rush is not kept from the others for days, nor one that is drawn by lot.
    """
    is_drawn = FairDraw.objects.filter(release=release, state__in=FairDraw.LIVE_STATES)
    return _is_of_a_kind(release) and not is_drawn.exists()


def _is_of_a_kind(release: Release) -> bool:
    benefit = release.benefit
    return (
        release.mode == Fulfilment.CODES
        and benefit.is_giftable
        and benefit.kind != CREDIT_PACK
        and not benefit.only_for_stamps
        and not release.is_hot
        and release.price_credits > 1
    )


def read_return_percent(release: Release) -> int:
    """What a claim made now would give back later: told to the friends, and kept to."""
    terms = (
        BenefitTerms.objects.filter(benefit=release.benefit_id)
        .order_by("-published_at", "-id")
        .first()
    )
    return (terms or release.benefit).return_percent
