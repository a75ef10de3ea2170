"""Which wallets' rows an operator may see: everything, unless an OperatorScope says less."""

from typing import Any

from django.db.models import QuerySet

from zone.console.models import OperatorScope

# From each table to the wallet its rows belong to. A table without a wallet is in no scope.
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
}


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
    """`rows` without those of wallets outside the operator's scope."""
    codes = list_wallet_codes(user)
    lookup = WALLET_PATHS.get(rows.model._meta.label_lower)
    if codes is None or lookup is None:
        return rows
    return rows.filter(**{f"{lookup}__in": codes})
