"""What the read-only tables of this room share."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from zone.core.ids import uuid_of
from zone.core.readonly import ReadOnly
from zone.members.models import PartnerMember, Wallet, WalletIdentity
from zone.members.services.identities import identity_index


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):
    """A table that operators read and nobody edits."""

    list_per_page = 50

    def has_help_permission(self, request: HttpRequest) -> bool:
        """Whoever may change members may use the buttons that do."""
        user: Any = request.user
        return bool(user.has_perm("members.change_member"))


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    """A member's own rows, newest first, below the member."""

    extra = 0
    show_change_link = True


def member_ids_for(term: str) -> list[int]:
    """Members by whatever an operator pastes: our id, a partner's id for them, or a wallet's id.

    A wallet's id is found by its blind index in every wallet; it is never stored in clear.
    """
    if _is_public_id(term):
        return list(
            PartnerMember.objects.filter(public_id=term).values_list("member_id", flat=True)
        )
    indexes = [identity_index(code, term) for code in Wallet.objects.values_list("code", flat=True)]
    return list(
        WalletIdentity.objects.filter(value_index__in=indexes).values_list("member_id", flat=True)
    )


def _is_public_id(term: str) -> bool:
    try:
        uuid_of(term)
    except ValueError:
        return False
    return True
