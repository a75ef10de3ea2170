"""What waits to become credits."""

from collections.abc import Collection

from zone.history.models import Charge, Refund


def list_uncredited_charges(limit: int, leaving_out: Collection[str] = ()) -> list[Charge]:
    """Paid charges that nobody has credited, oldest first, with their member and wallet.

    Locked until the caller's transaction ends; rows that another drain holds are left out, so
    several may work at once. Call it inside a transaction.
    """
    return list(
        Charge.objects.filter(credited_at__isnull=True, status=Charge.Status.SUCCEEDED)
        .exclude(pk__in=leaving_out)
        .select_related("member__wallet")
        .order_by("id")
        .select_for_update(of=("self",), skip_locked=True)[:limit]
    )


def list_uncredited_refunds(limit: int, leaving_out: Collection[str] = ()) -> list[Refund]:
    """Applied refunds of charges that were credited already, oldest first, with their charge.

    A refund whose charge still waits is left for a later round, so what it takes back is known.
    `refund.charge.refunded` is the sum of all refunds so far, this one included. Locked as above.
    """
    return list(
        Refund.objects.filter(
            credited_at__isnull=True,
            state=Refund.State.APPLIED,
            charge__credited_at__isnull=False,
        )
        .exclude(pk__in=leaving_out)
        .select_related("charge", "member__wallet")
        .order_by("id")
        .select_for_update(of=("self",), skip_locked=True)[:limit]
    )
