"""Who is who: a wallet's id to a member, and a first contact to a new member."""

from datetime import datetime

from django.db import IntegrityError, transaction

from zone.core import vault
from zone.members.models import Member, Wallet, WalletIdentity

IDENTITY_PURPOSE = "wallet-identity"
_LAST_LETTERS = 4


def identity_index(wallet_code: str, value: str) -> bytes:
    """What an id is found by: equal exactly when wallet and id are, and telling neither."""
    return vault.blind_index(IDENTITY_PURPOSE, f"{wallet_code}:{value}")


def open_identity(identity: WalletIdentity) -> str:
    """The wallet's id in clear: for the wallet itself, and for an operator who gave a reason.

    Raises VaultError.
    """
    return vault.unwrap(bytes(identity.value_sealed), purpose=IDENTITY_PURPOSE).decode()


def find_member(
    *, wallet_code: str, user_id: str, kind: str = "user_id", app_id: str = ""
) -> Member | None:
    """The member whom a wallet calls `user_id`, with its wallet, or None."""
    identity = (
        WalletIdentity.objects.filter(
            wallet_id=wallet_code,
            app_id=app_id,
            kind=kind,
            value_index=identity_index(wallet_code, user_id),
        )
        .select_related("member__wallet")
        .first()
    )
    return identity.member if identity else None


def find_member_ids(*, wallet_code: str, user_ids: list[str]) -> dict[str, int]:
    """Member keys of many wallet users in one query; unknown ones are left out."""
    by_index = {identity_index(wallet_code, user_id): user_id for user_id in user_ids}
    rows = WalletIdentity.objects.filter(
        wallet_id=wallet_code, app_id="", kind="user_id", value_index__in=list(by_index)
    ).values_list("value_index", "member_id")
    return {by_index[bytes(index)]: member_id for index, member_id in rows}


def find_member_ids_by_index(*, wallet_code: str, indexes: list[bytes]) -> dict[bytes, int]:
    """Member keys of many wallet users, found by `identity_index`; unknown ones are left out."""
    rows = WalletIdentity.objects.filter(
        wallet_id=wallet_code, app_id="", kind="user_id", value_index__in=indexes
    ).values_list("value_index", "member_id")
    return {bytes(index): member_id for index, member_id in rows}


def enrol_member(
    *,
    wallet: Wallet,
    user_id: str,
    joined_at: datetime,
    language: str = "",
    storefront: str = "",
    display_name: str = "",
    person_token: bytes | None = None,
    is_adult: bool = True,
) -> tuple[Member, bool]:
    """The member whom `wallet` calls `user_id`, made now if there is none.

    Returns the member and whether it is new. Safe to repeat and to race: the identity's unique
    constraint decides, and the loser reads the winner.
    """
    if found := find_member(wallet_code=wallet.code, user_id=user_id):
        return found, False
    try:
        with transaction.atomic():
            member = Member.objects.create(
                wallet=wallet,
                language=language or wallet.default_language,
                storefront=storefront or wallet.storefront,
                time_zone=wallet.time_zone,
                display_name=display_name,
                person_token=person_token,
                is_adult=is_adult,
                joined_at=joined_at,
            )
            WalletIdentity.objects.create(
                member=member,
                wallet=wallet,
                value_index=identity_index(wallet.code, user_id),
                value_sealed=vault.wrap(user_id.encode(), purpose=IDENTITY_PURPOSE),
                last_four=user_id[-_LAST_LETTERS:],
            )
    except IntegrityError:
        found = find_member(wallet_code=wallet.code, user_id=user_id)
        if found is None:
            raise
        return found, False
    return member, True


def find_user_id(member: Member) -> str | None:
    """The id under which the member's wallet knows them; None once they were erased."""
    identity = member.identities.filter(kind=WalletIdentity.Kind.USER_ID).first()
    if identity is None:
        return None
    return open_identity(identity)


def belongs_to(member: Member, user_id: str) -> bool:
    """Whether the member's wallet calls this member `user_id`."""
    return member.identities.filter(
        wallet_id=member.wallet_id, value_index=identity_index(member.wallet_id, user_id)
    ).exists()
