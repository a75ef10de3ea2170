"""What members are told about their claims. Facts only: the words are chosen at reading."""

from datetime import datetime, timedelta

from benefits.models import Claim
from zone.core.stuck import Attempts
from zone.notices.services import Message, write_notices

EXPIRING_HOURS = 72
NOTICE_BATCH_ROWS = 500


def tell(claim: Claim, kind: str, *, now: datetime, **more: str) -> None:
    """Put a notice about a claim into its owner's inbox, once per kind, in this transaction."""
    tell_each([claim], kind, now=now, **more)


def tell_each(claims: list[Claim], kind: str, *, now: datetime, **more: str) -> None:
    """The same for each of many, in one statement."""
    messages = [
        Message(
            member_id=claim.member_id,
            kind=kind,
            facts={
                "title": {text.language: text.title for text in claim.benefit.texts.all()},
                "valid_until": claim.valid_until.isoformat() if claim.valid_until else "",
                "credits": claim.price_credits,
                **more,
            },
            link=f"/me/benefits/{claim.public_id}"
            + ("/rescue" if kind == "claim_expiring" else ""),
            dedupe_key=_dedupe_key(claim, kind),
        )
        for claim in claims
    ]
    write_notices(messages, at=now)


def _dedupe_key(claim: Claim, kind: str) -> str:
    """Each kind once for a claim; of an end, once for each end that it is given."""
    if kind == "claim_expiring" and claim.rescues.exists():
        return f"{kind}:{claim.public_id}:{claim.valid_until:%Y%m%d}"
    return f"{kind}:{claim.public_id}"


def remind_of_endings(*, now: datetime) -> int:
    """Tell owners of claims that end within three days. Once each, however often this runs."""
    attempts = Attempts("claim_endings")
    ending = (
        Claim.objects.filter(
            state=Claim.State.GRANTED,
            valid_until__gt=now,
            valid_until__lte=now + timedelta(hours=EXPIRING_HOURS),
            reminded_at=None,
        )
        .exclude(pk__in=attempts.left_out)
        .select_related("benefit")
        .prefetch_related("benefit__texts")
        .order_by("valid_until")[:NOTICE_BATCH_ROWS]
    )
    told = 0
    for claim in ending:
        # The mark and the notice would be two writers of one truth: the dedupe key decides, the
        # mark only keeps this list short.
        with attempts.at(claim.pk):
            tell(claim, "claim_expiring", now=now)
            told += Claim.objects.filter(pk=claim.pk, reminded_at=None).update(reminded_at=now)
    return told
