"""What an operator of some wallets may see, and what they may lay hands on.

Everything, unless an OperatorScope says less. With one, a row of a member is seen by operators of
the member's wallet alone. A benefit that was written for several wallets is seen by operators of
each of them, and changed by those who have them all. What belongs to no wallet, a rule of earning
or a partner, holds for members everywhere: it is read and not changed.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from benefits.models import Claim, CodeBatch, Release
from zone.console.models import OperatorScope
from zone.members.models import Member

# From each table to the wallet its rows belong to.
WALLET_PATHS = {
    "members.wallet": "code",
    "members.member": "wallet_id",
    "members.walletidentity": "wallet_id",
    "members.binding": "member__wallet_id",
    "members.bindingattempt": "member__wallet_id",
    "members.bindingstep": "attempt__member__wallet_id",
    "members.membersession": "member__wallet_id",
    "members.consent": "member__wallet_id",
    "members.erasure": "member__wallet_id",
    "notices.announcement": "wallet_id",
    "notices.notice": "member__wallet_id",
    "history.charge": "wallet_id",
    "history.chargeline": "charge__wallet_id",
    "history.refund": "wallet_id",
    "history.subscription": "wallet_id",
    "history.subscriptionevent": "subscription__wallet_id",
    "history.unlinkedmessage": "wallet_id",
    "history.rejectedmessage": "wallet_id",
    "credits.account": "member__wallet_id",
    "credits.entry": "member__wallet_id",
    "credits.heldcredits": "member__wallet_id",
    "credits.adjustrequest": "member__wallet_id",
    "credits.adjustrow": "member__wallet_id",
    "credits.checkin": "member__wallet_id",
    "credits.earnevent": "member__wallet_id",
    "credits.invitation": "member__wallet_id",
    "credits.referral": "inviter__wallet_id",
    "credits.freeze": "member__wallet_id",
    "credits.keptaccount": "member__wallet_id",
    "credits.earndecision": "member__wallet_id",
    "credits.membertier": "member__wallet_id",
    "credits.missionprogress": "member__wallet_id",
    "credits.streak": "member__wallet_id",
    "credits.tiermove": "member__wallet_id",
    "partners.ingestclient": "wallet_code",
    "benefits.claim": "member__wallet_id",
    "benefits.claimevent": "claim__member__wallet_id",
    "benefits.drawentry": "member__wallet_id",
    "benefits.rescue": "member__wallet_id",
    "benefits.stockhold": "entry__member__wallet_id",
    "benefits.stamp": "member__wallet_id",
    "benefits.stampswap": "member__wallet_id",
    "benefits.segmentevent": "member__wallet_id",
    "benefits.membertag": "member__wallet_id",
    "benefits.codereport": "member__wallet_id",
    "benefits.providerending": "claim__member__wallet_id",
    "benefits.trial": "member__wallet_id",
    "benefits.gift": "giver__wallet_id",
    "benefits.groupgift": "starter__wallet_id",
    "benefits.grouppart": "member__wallet_id",
}
# Where a row is between two members, the way to the other one; nobody may be there yet.
OTHER_PATHS = {
    "benefits.gift": "receiver__wallet_id",
    "credits.referral": "friend__wallet_id",
}
# Where several members have a part in a row, the way to their parts.
PARTED = {"benefits.groupgift": "parts"}
# From what is written for several wallets to their codes; none of them means all wallets.
WRITTEN_PATHS = {
    "benefits.benefit": "wallets",
    "benefits.release": "benefit__wallets",
    "benefits.dropschedule": "benefit__wallets",
    "benefits.rulerequest": "benefit__wallets",
    "benefits.populationrun": "benefit__wallets",
    "benefits.codebatch": "release__benefit__wallets",
    "benefits.codeimport": "release__benefit__wallets",
    "benefits.fairdraw": "release__benefit__wallets",
}
# Tables whose `rows` each name a member: theirs is what has nobody of another wallet in it.
LISTS = {"benefits.bulkjob", "benefits.segment", "credits.adjustbatch"}
# A segment by itself names nobody. Who is in it is told by tables of their own.
_OPEN_LISTS = {"benefits.segment"}


def list_wallet_codes(user: Any) -> list[str] | None:
    """The wallets this operator is limited to, or None for no limit."""
    if not getattr(user, "pk", None):
        return []
    if not hasattr(user, "_wallet_scope"):
        scope = OperatorScope.objects.filter(user_id=user.pk).first()
        codes = None if scope is None else sorted(scope.wallets.values_list("pk", flat=True))
        user._wallet_scope = codes
    codes_or_none: list[str] | None = user._wallet_scope
    return codes_or_none


def in_scope(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """`rows` without those that the operator's wallets have no part in."""
    codes = list_wallet_codes(user)
    if codes is None:
        return rows
    label = rows.model._meta.label_lower
    if label in WALLET_PATHS:
        return _of_wallets(rows, codes)
    if path := WRITTEN_PATHS.get(label):
        is_for_all = Q(**{f"{path}__len": 0}) | Q(**{f"{path}__isnull": True})
        return rows.filter(is_for_all | Q(**{f"{path}__overlap": codes}))
    if label in LISTS - _OPEN_LISTS:
        return _without_others(rows, codes)
    narrow = _TOLD.get(label)
    return narrow(rows, codes) if narrow else rows


def in_reach(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Those of `rows` that the operator may change: nobody of another wallet is touched by it."""
    codes = list_wallet_codes(user)
    if codes is None:
        return rows
    label = rows.model._meta.label_lower
    if label in WALLET_PATHS:
        return _of_wallets(rows, codes)
    if path := WRITTEN_PATHS.get(label):
        return rows.filter(**{f"{path}__len__gt": 0, f"{path}__contained_by": codes})
    if label in LISTS:
        rows = _without_others(rows, codes)
        # A rule that is followed looks at everybody.
        return rows.exclude(kind="live") if label in _OPEN_LISTS else rows
    return rows.none()


def has_reach(model: type[Model], user: Any) -> bool:
    """Whether any row of `model` may be the operator's to change."""
    label = model._meta.label_lower
    is_of_some_wallet = label in WALLET_PATHS or label in WRITTEN_PATHS or label in LISTS
    return is_of_some_wallet or list_wallet_codes(user) is None


def _of_wallets(rows: QuerySet[Any], codes: list[str]) -> QuerySet[Any]:
    label = rows.model._meta.label_lower
    rows = rows.filter(**{f"{WALLET_PATHS[label]}__in": codes})
    if other := OTHER_PATHS.get(label):
        rows = rows.filter(Q(**{f"{other}__in": codes}) | Q(**{f"{other}__isnull": True}))
    if parts := PARTED.get(label):
        rows = _without_others(rows, codes, link=parts)
    return rows


def _without_others(rows: QuerySet[Any], codes: list[str], *, link: str = "rows") -> QuerySet[Any]:
    link_field: Any = rows.model._meta.get_field(link)
    others = link_field.related_model._base_manager.filter(
        ~Q(member__wallet_id__in=codes),
        member__isnull=False,
        **{link_field.field.name: OuterRef("pk")},
    )
    return rows.filter(~Exists(others))


# Tables that name what they are about in a column of text or numbers, without a foreign key.


def _by_member_key(rows: QuerySet[Any], codes: list[str]) -> QuerySet[Any]:
    return rows.filter(Exists(Member.objects.filter(pk=OuterRef("member_id"), wallet_id__in=codes)))


def _by_claim_id(rows: QuerySet[Any], codes: list[str]) -> QuerySet[Any]:
    return rows.filter(
        Exists(
            Claim.objects.filter(public_id=OuterRef("claim_public_id"), member__wallet_id__in=codes)
        )
    )


def _by_subject(rows: QuerySet[Any], codes: list[str]) -> QuerySet[Any]:
    """Alarms about a claim of theirs, and about stock that is given out in their wallets."""
    wanted = {"public_id": OuterRef("subject")}
    ours = Q(benefit__wallets__len=0) | Q(benefit__wallets__overlap=codes)
    loaded = Q(release__benefit__wallets__len=0) | Q(release__benefit__wallets__overlap=codes)
    return rows.filter(
        Exists(Claim.objects.filter(**wanted, member__wallet_id__in=codes))
        | Exists(Release.objects.filter(ours, **wanted))
        | Exists(CodeBatch.objects.filter(loaded, **wanted))
    )


def _by_operator(rows: QuerySet[Any], codes: list[str]) -> QuerySet[Any]:
    """Deeds of operators who have these wallets or fewer: they concern no member elsewhere."""
    wider = OperatorScope.wallets.through.objects.exclude(wallet_id__in=codes)
    narrow = OperatorScope.objects.exclude(pk__in=wider.values("operatorscope_id"))
    return rows.filter(user_id__in=narrow.values("user_id"))


def _nothing(rows: QuerySet[Any], codes: list[str]) -> QuerySet[Any]:
    """Rows that may speak of anybody and do not say of whom."""
    return rows.none()


_TOLD: dict[str, Callable[[QuerySet[Any], list[str]], QuerySet[Any]]] = {
    "benefits.alarm": _by_subject,
    "benefits.providermessage": _by_claim_id,
    "console.auditevent": _by_operator,
    "core.stuckrow": _nothing,
    "credits.sealfinding": _by_member_key,
    "partners.event": _nothing,
    "partners.idempotencyrecord": _nothing,
    "partners.partnerreference": _by_member_key,
}
