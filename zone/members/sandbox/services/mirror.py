"""Test people for members who came from a list: the same ids, on the wallet's own side."""

from datetime import datetime

from zone.members.models import Binding, WalletIdentity
from zone.members.queries import find_open_binding
from zone.members.sandbox.services.accounts import ensure_account
from zone.members.sandbox.services.agreements import sign_agreement
from zone.members.services.identities import find_user_id


def mirror_members(*, now: datetime, wallet_code: str = "", limit: int | None = None) -> int:
    """Every known member has an account in their sandbox wallet, and an agreement if bound.

    What a wallet would have known all along. Safe to repeat. Returns how many were looked at.
    """
    identities = WalletIdentity.objects.filter(
        kind=WalletIdentity.Kind.USER_ID, wallet__connector="sandbox"
    ).select_related("member__wallet")
    if wallet_code:
        identities = identities.filter(wallet_id=wallet_code)
    count = 0
    for identity in identities.order_by("id")[:limit]:
        member = identity.member
        account = ensure_account(
            wallet=member.wallet,
            user_id=find_user_id(member) or "",
            display_name=member.display_name,
            language=member.language,
            is_adult=member.is_adult,
        )
        binding = find_open_binding(member)
        if binding and binding.status == Binding.Status.ACTIVE:
            agreement = sign_agreement(
                account=account,
                now=binding.bound_at or now,
                external_agreement_no=binding.public_id,
                agreement_no=binding.agreement_reference or "",
            )
            if not binding.agreement_reference:
                Binding.objects.filter(pk=binding.pk, agreement_reference__isnull=True).update(
                    agreement_reference=agreement.agreement_no,
                    account_masked=account.account_masked,
                )
        count += 1
    return count
